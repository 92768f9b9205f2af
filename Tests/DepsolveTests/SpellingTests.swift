import Compression
import Depsolve
import Foundation
import Repodata
import SystemPackage
import Testing

/// The same repository in many spellings of XML: what is resolved from it is what is written, and what was written resolves to the same.
@Suite("Spellings of metadata")
struct SpellingTests {
    private static let ids = ["a", "b"].map { String(repeating: $0, count: 64) }

    private static let documents: [String: String] = [
        "primary": """
        <?xml version="1.0" encoding="UTF-8"?>
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
        \(primary("app", ids[0], "<rpm:requires><rpm:entry name=\"lib&amp;co\"/><rpm:entry name=\"/opt/data/x&amp;y\"/></rpm:requires>"))
        \(primary("lib", ids[1], "<rpm:provides><rpm:entry name=\"lib&amp;co\"/></rpm:provides>"))
        </metadata>
        """,
        "filelists": """
        <?xml version="1.0" encoding="UTF-8"?>
        <filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="2">
        <package pkgid="\(ids[0])" name="app" arch="noarch"><version epoch="0" ver="1" rel="1"/></package>
        <package pkgid="\(ids[1])" name="lib" arch="noarch"><version epoch="0" ver="1" rel="1"/><file>/opt/data/x&amp;y</file></package>
        </filelists>
        """,
        "other": """
        <?xml version="1.0" encoding="UTF-8"?>
        <otherdata xmlns="http://linux.duke.edu/metadata/other" packages="2">
        <package pkgid="\(ids[0])" name="app" arch="noarch"><version epoch="0" ver="1" rel="1"/></package>
        <package pkgid="\(ids[1])" name="lib" arch="noarch"><version epoch="0" ver="1" rel="1"/></package>
        </otherdata>
        """,
    ]

    private static func primary(_ name: String, _ id: String, _ dependencies: String) -> String {
        """
        <package type="rpm"><name>\(name)</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>
        <checksum type="sha256" pkgid="YES">\(id)</checksum><summary>s</summary><description>d</description><packager/><url/>
        <time file="1" build="1"/><size package="1" installed="1" archive="1"/><location href="\(name).rpm"/>
        <format><rpm:license>MIT</rpm:license>\(dependencies)</format></package>
        """
    }

    struct Spelling: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let change: @Sendable (String) -> String

        init(_ name: String, _ change: @escaping @Sendable (String) -> String) { (testDescription, self.change) = (name, change) }
    }

    static let spellings = [
        Spelling("as createrepo_c writes it") { $0 },
        Spelling("single quotes") { $0.replacing("\"", with: "'") },
        Spelling("a byte order mark") { "\u{FEFF}" + $0 },
        Spelling("no XML declaration") { $0.replacing("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", with: "") },
        Spelling("no count") { $0.replacing(" packages=\"2\"", with: "") },
        Spelling("a wrong count") { $0.replacing(" packages=\"2\"", with: " packages=\"7\"") },
        Spelling("the namespace of another document") { $0.replacing(/metadata\/(common|filelists)"/) { _ in "metadata/other\"" } },
        Spelling("comments with tags in them") {
            $0.replacing("<package ", with: "<!-- <package pkgid=\"x\"><file>/x</file> --><package ")
        },
        Spelling("a comment that opens an element") { $0.replacing("<version", with: "<!-- <package pkgid=\"x\"> ' --><version") },
        Spelling("processing instructions") { $0.replacing("<version", with: "<?pi <file>x=\"y\"?><version") },
        Spelling("characters by their numbers") { $0.replacing("lib&amp;co", with: "lib&#38;co") },
        Spelling("characters by their hexadecimal numbers") { $0.replacing("lib&amp;co", with: "lib&#x26;co") },
        Spelling("checksums in upper case") { text in ids.reduce(text) { $0.replacing($1, with: $1.uppercased()) } },
        Spelling("no epochs") { $0.replacing(" epoch=\"0\"", with: "") },
        Spelling("empty epochs") { $0.replacing(" epoch=\"0\"", with: " epoch=\"\"") },
        Spelling("other order of attributes") {
            $0.replacing(/<package (pkgid="\w+") (name="\w+") (arch="\w+")/) { "<package \($0.output.3) \($0.output.2) \($0.output.1)" }
        },
        Spelling("white space in tags") { $0.replacing("<package ", with: "<package\n\t").replacing("pkgid=\"", with: "pkgid = \"") },
        Spelling("white space in end tags") { $0.replacing(/<\/(package|file|version|metadata|filelists)>/) { "</\($0.output.1) >" } },
        Spelling("elements that nobody knows") { $0.replacing("<version", with: "<odd a=\"&gt;\"><b/></odd><version") },
        Spelling("a path with a character by its number") { $0.replacing("x&amp;y</file>", with: "x&#38;&#121;</file>") },
        Spelling("a path with CDATA") { $0.replacing("/opt/data/x&amp;y</file>", with: "/opt/<![CDATA[data/x&]]>y</file>") },
        Spelling("a path with a comment") { $0.replacing("x&amp;y</file>", with: "x<!-- > -->&amp;y</file>") },
        Spelling("CDATA in a name") { $0.replacing("<name>lib", with: "<name><![CDATA[lib]]>") },
        Spelling("line ends of Windows") { $0.replacing("\n", with: "\r\n") },
    ]

    @Test("each is resolved as it is written", arguments: spellings)
    func agreement(spelling: Spelling) async throws {
        try await withTemporaryDirectory { directory in
            let source = try repository(directory.appending(path: "source"), Self.documents.mapValues(spelling.change))
            let found = try await resolve(source)
            #expect(found.map(\.nevra.description) == ["app-1-1.noarch", "lib-1-1.noarch"])

            let written = directory.appending(path: "written")
            try FileManager.default.createDirectory(at: written, withIntermediateDirectories: true)
            let index = try MetadataIndex(opening: source)
            var writer = try RepositoryWriter(
                directory: FilePath(written.path), packageCount: found.count, options: .init(revision: "1", timestamp: 1))
            for record in found { try writer.add(record, from: index, href: record.location) }
            _ = try writer.finish()
            let again = try await resolve(try opened(written, in: directory.appending(path: "again")))
            #expect(again.map(\.nevra) == found.map(\.nevra))
            #expect(again.map(\.pkgid) == found.map(\.pkgid))
        }
    }

    @Test("an empty document may be one closed tag")
    func closed() async throws {
        try await withTemporaryDirectory { directory in
            let whole = try repository(directory.appending(path: "whole"), Self.documents)
            let empty = try repository(
                directory.appending(path: "empty"),
                ["primary": "<metadata packages='0'/>", "filelists": "<filelists a='>' packages='0' />", "other": "<otherdata/>"])
            #expect(try await resolve(empty, whole).count == 2)
            #expect(try MetadataIndex(opening: empty).count == 0)
        }
    }

    private func resolve(_ repositories: RepositoryMetadata...) async throws -> [PackageRecord] {
        var request = DepsolveRequest(repositories: repositories, lookaside: [], arches: ["x86_64"])
        request.packages = ["app"]
        let resolution = try await Depsolver().resolve(request)
        #expect(resolution.missing.isEmpty)
        return resolution.trees[0].binaries.map(\.record).sorted { $0.nevra.name < $1.nevra.name }
    }

    private func repository(_ directory: URL, _ documents: [String: String]) throws -> RepositoryMetadata {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, text) in documents { try Data(text.utf8).write(to: directory.appending(path: "\(name).xml")) }
        let id = WorldRepository.sha256(Data(documents.sorted { $0.key < $1.key }.map(\.value).joined().utf8))
        return RepositoryMetadata(id: Checksum(.sha256, hex: id), directory: FilePath(directory.path), hasFilelists: true, hasOther: true)
    }

    /// The metadata of a repository as it is in a cache.
    private func opened(_ repository: URL, in directory: URL) throws -> RepositoryMetadata {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let repomd = try Repomd(parsing: try Data(contentsOf: repository.appending(path: "repodata/repomd.xml")))
        for record in repomd.records {
            try Compression.decompress(
                FilePath(repository.path).appending(record.location), to: FilePath(directory.path).appending("\(record.type).xml"),
                limit: 1 << 20, expecting: record.openChecksum)
        }
        return RepositoryMetadata(id: repomd.id, directory: FilePath(directory.path), hasFilelists: true, hasOther: true)
    }
}
