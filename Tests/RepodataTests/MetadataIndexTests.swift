import Compression
import Foundation
import Repodata
import SystemPackage
import Testing

@Suite("metadata index")
struct MetadataIndexTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A copy of the sample's metadata that a test may spoil.
    private func copy() async throws -> RepositoryMetadata {
        try RepositoryMetadata(decompressing: try await SampleRepository.shared.path, into: try directory.directory("copy"))
    }

    /// Metadata of two packages, `aaaa…` and `bbbb…`, with some text replaced.
    private func metadata(_ document: MetadataDocument = .primary, replacing old: String = "", with new: String = "") throws
        -> RepositoryMetadata
    {
        let ids = ["a", "b"].map { String(repeating: $0, count: 64) }
        let texts: [MetadataDocument: String] = [
            .primary: """
            <?xml version="1.0" encoding="UTF-8"?>
            <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="2">
            <package type="rpm"><name>a</name><checksum type="sha256" pkgid="YES">\(ids[0])</checksum><packager>p</packager></package>
            <package type="rpm"><name>b</name><checksum type="sha256" pkgid="YES">\(ids[1])</checksum></package>
            </metadata>
            """,
            .filelists: """
            <filelists xmlns="http://linux.duke.edu/metadata/filelists" packages="2">
            <package pkgid="\(ids[1])" name="b > 'a'" arch="noarch"><file>/b</file></package>
            <package name='a' pkgid='\(ids[0])'/>
            </filelists>
            """,
            .other: """
            <otherdata packages="2"><package pkgid="\(ids[0])"></package ><package pkgid="\(ids[1])"></package></otherdata>
            """,
        ]
        let target = try directory.directory("made")
        for (kind, text) in texts {
            let changed = kind == document && !old.isEmpty ? text.replacing(old, with: new) : text
            #expect(kind != document || old.isEmpty || changed != text, "the test replaces nothing")
            try Data(changed.utf8).write(to: URL(fileURLWithPath: target.appending("\(kind.rawValue).xml").string))
        }
        return RepositoryMetadata(id: pkgid("0"), directory: target, hasFilelists: true, hasOther: true)
    }

    private func pkgid(_ digit: String) -> Checksum { Checksum(.sha256, hex: String(repeating: digit, count: 64)) }

    private func refusal(of metadata: RepositoryMetadata) -> RepodataError? {
        #expect(throws: RepodataError.self) { try MetadataIndex(opening: metadata) }
    }

    @Test("each package of a real repository is found with its own elements")
    func realRepository() async throws {
        let sample = try await SampleRepository.shared
        let index = try MetadataIndex(opening: sample.metadata)
        #expect(index.count == sample.packages.count)
        #expect(index.repository == sample.metadata.id)
        for record in sample.records {
            let chunks = try index.chunks(of: record.pkgid)
            let primary = String(decoding: chunks.primary, as: UTF8.self)
            #expect(primary.hasPrefix("<package type=\"rpm\">") && primary.hasSuffix("</package>"))
            #expect(primary.contains("<name>\(record.nevra.name)</name>"))
            #expect(primary.contains(record.pkgid.hex))
            for document in [chunks.filelists, chunks.other] {
                let text = String(decoding: try #require(document), as: UTF8.self)
                #expect(text.hasPrefix("<package pkgid=\"\(record.pkgid.hex)\"") && text.hasSuffix("</package>"))
            }
        }
    }

    @Test("order, quotes, white space in tags and empty elements do not matter")
    func formsOfXML() throws {
        let index = try MetadataIndex(opening: try metadata())
        let a = try index.chunks(of: pkgid("a"))
        let b = try index.chunks(of: pkgid("b"))
        #expect(String(decoding: a.filelists ?? [], as: UTF8.self) == "<package name='a' pkgid='\(pkgid("a").hex)'/>")
        #expect(String(decoding: b.filelists ?? [], as: UTF8.self).hasSuffix("<file>/b</file></package>"))
        #expect(String(decoding: a.other ?? [], as: UTF8.self).hasSuffix("</package >"))
    }

    @Test("what comments and CDATA sections contain is text")
    func commentsAndCDATA() throws {
        let traps = "<!-- </package> <package> --><![CDATA[</package><checksum pkgid=\"YES\">x</checksum>]]><?pi <package>?>"
        let index = try MetadataIndex(opening: try metadata(replacing: "<name>a", with: "\(traps)<name>a"))
        #expect(String(decoding: try index.chunks(of: pkgid("a")).primary, as: UTF8.self).contains("\(traps)<name>a</name><checksum"))
    }

    @Test("a package that is not there is an error, also with a pkgid that cannot be one", arguments: ["c", "", "zz"])
    func unknownPackage(digits: String) throws {
        let index = try MetadataIndex(opening: try metadata())
        let unknown = Checksum(.sha256, hex: digits == "c" ? pkgid("c").hex : digits)
        let error = #expect(throws: RepodataError.self) { try index.chunks(of: unknown) }
        #expect(error?.code == .missing)
        #expect(!index.contains(unknown))
        #expect(index.contains(pkgid("a")))
    }

    @Test("the number of packages that a document declares is a hint", arguments: MetadataDocument.allCases, ["3", "", "-1", "all"])
    func wrongCount(document: MetadataDocument, count: String) throws {
        #expect(try MetadataIndex(opening: try metadata(document, replacing: "packages=\"2\"", with: "packages=\"\(count)\"")).count == 2)
        #expect(try MetadataIndex(opening: try metadata(document, replacing: " packages=\"2\"", with: "")).count == 2)
    }

    @Test("the default namespace does not matter", arguments: ["http://linux.duke.edu/metadata/other", "", "x"])
    func namespaces(namespace: String) throws {
        let metadata = try metadata(.filelists, replacing: "http://linux.duke.edu/metadata/filelists", with: namespace)
        #expect(try MetadataIndex(opening: metadata).chunks(of: pkgid("a")).filelists != nil)
    }

    @Test("a document may lack a package of primary, and packages that primary lacks are ignored", arguments: ["b", "c"])
    func differentPackages(other: String) throws {
        let index = try MetadataIndex(opening: try metadata(.filelists, replacing: pkgid("a").hex, with: pkgid(other).hex))
        #expect(index.count == 2)
        #expect(try index.chunks(of: pkgid("a")).filelists == nil)
        #expect(try index.chunks(of: pkgid("b")).filelists != nil)
        #expect(!index.contains(pkgid("c")))
    }

    @Test(
        "a package without a usable checksum costs itself alone",
        arguments: [("pkgid=\"YES\">" + String(repeating: "a", count: 64), "pkgid=\"YES\">"), (String(repeating: "a", count: 64), "aa")])
    func withoutChecksum(old: String, new: String) throws {
        let index = try MetadataIndex(opening: try metadata(replacing: old, with: new))
        #expect(index.count == 1)
        #expect(index.contains(pkgid("b")))
    }

    @Test("where primary lists a package twice, the first one counts")
    func duplicate() throws {
        let index = try MetadataIndex(
            opening: RepositoryMetadata(
                id: pkgid("0"), directory: try metadata(replacing: pkgid("b").hex, with: pkgid("a").hex).directory, hasFilelists: false,
                hasOther: false))
        #expect(index.count == 1)
        #expect(String(decoding: try index.chunks(of: pkgid("a")).primary, as: UTF8.self).contains("<name>a</name>"))
        #expect(try index.chunks(of: pkgid("a")).filelists == nil)
        #expect(!index.isComplete)
    }

    @Test(
        "a document that ends too early is refused",
        arguments: ["</metadata>", "</package>\n</metadata>", ">\n</metadata>", "</checksum></package>\n</metadata>"])
    func truncated(end: String) throws {
        let error = refusal(of: try metadata(replacing: end, with: ""))
        #expect(error?.code == .truncated)
    }

    @Test(
        "what would change the meaning of names is refused",
        arguments: [
            ("<metadata ", "<md:metadata xmlns:md=\"http://linux.duke.edu/metadata/common\" "),
            ("<metadata ", "<!DOCTYPE metadata []><metadata "),
            ("<name>a</name>", "<package/>"), ("<metadata ", "<otherdata "),
        ])
    func refused(old: String, new: String) throws {
        #expect(refusal(of: try metadata(replacing: old, with: new)) != nil)
    }

    @Test("a document cut or changed at any place gives an index or an error, never a crash", arguments: MetadataDocument.allCases)
    func anyDamage(document: MetadataDocument) throws {
        let metadata = try metadata()
        let file = metadata.directory.appending("\(document.rawValue).xml")
        let good = try file.bytes
        var refused = 0
        for position in stride(from: 0, to: good.count, by: 5) {
            let cut = Array(good[..<position])
            let rest = good[(position + 1)...]
            for bad in [cut, cut + [UInt8(ascii: "<")] + rest, cut + rest] {
                try Data(bad).write(to: URL(fileURLWithPath: file.string))
                do {
                    let index = try MetadataIndex(opening: metadata)
                    for digit in ["a", "b"] where index.contains(pkgid(digit)) { _ = try index.chunks(of: pkgid(digit)) }
                } catch {
                    #expect(error.code != .io)
                    refused += 1
                }
            }
        }
        #expect(refused > good.count / 5)
    }

    @Test("an empty repository has an index without packages")
    func empty() async throws {
        let empty = try directory.directory("empty")
        try await Tool.run("createrepo_c", "--quiet", "--no-database", empty.string)
        let metadata = try RepositoryMetadata(decompressing: empty, into: try directory.directory("metadata"))
        #expect(try MetadataIndex(opening: metadata).count == 0)
    }

    @Test("the index is kept beside the documents, and a second one to open it does not read them")
    func kept() async throws {
        let metadata = try await copy()
        let first = try MetadataIndex(opening: metadata)
        let size = try metadata.primary.bytes.count
        // Of the same size, but without any package: only the file that was kept can know them.
        try Data(repeating: 0x20, count: size).write(to: URL(fileURLWithPath: metadata.primary.string))
        #expect(try MetadataIndex(opening: metadata).count == first.count)
        #expect(try metadata.directory.names == ["filelists.xml", "other.xml", "packages.index", "primary.xml", "repomd.xml"])
    }

    @Test("a damaged, shortened, empty or foreign index file is made again", arguments: ["flip", "cut", "empty", "foreign"])
    func damaged(how: String) async throws {
        let metadata = try await copy()
        _ = try MetadataIndex(opening: metadata)
        let file = metadata.directory.appending("packages.index")
        let good = try file.bytes
        var bad = good
        switch how {
        case "flip": bad[bad.count / 2] ^= 1
        case "cut": bad.removeLast(40)
        case "empty": bad = []
        default: bad = Array("something else".utf8)
        }
        try Data(bad).write(to: URL(fileURLWithPath: file.string))
        let index = try MetadataIndex(opening: metadata)
        for record in try metadata.records() { #expect(index.contains(record.pkgid)) }
        #expect(try file.bytes == good)
    }

    @Test("several that open it for the first time at once all get a whole index")
    func atOnce() async throws {
        let metadata = try await copy()
        let records = try metadata.records()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let index = try MetadataIndex(opening: metadata)
                    for record in records { _ = try index.chunks(of: record.pkgid) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try metadata.directory.names.filter { $0.hasPrefix("packages.index") } == ["packages.index"])
    }

    @Test("documents of other sizes get an index of their own")
    func otherDocuments() throws {
        let metadata = try metadata()
        _ = try MetadataIndex(opening: metadata)
        let changed = try self.metadata(replacing: "<name>a</name>", with: "<name>longer</name>")
        #expect(
            String(decoding: try MetadataIndex(opening: changed).chunks(of: pkgid("b")).primary, as: UTF8.self).contains("<name>b</name>"))
    }
}
