import Compression
import Foundation
import Repodata
import SystemPackage
import Testing

@Suite("writing a repository")
struct RepositoryWriterTests {
    private let directory: TemporaryDirectory
    private let options = RepositoryWriter.Options(revision: "42", timestamp: 1_790_000_001)

    init() throws { directory = try TemporaryDirectory() }

    /// Writes all packages of the sample from its metadata into a new repository called `name`.
    @discardableResult
    private func write(
        _ name: String, options: RepositoryWriter.Options, extra: [RepositoryWriter.ExtraDocument] = [],
        href: (PackageRecord) -> String = { $0.location }
    ) async throws -> (path: FilePath, written: WrittenRepodata) {
        let sample = try await SampleRepository.shared
        let path = try directory.directory(name)
        let index = try MetadataIndex(opening: sample.metadata)
        var writer = try RepositoryWriter(directory: path, packageCount: sample.records.count, options: options)
        for record in sample.records { try writer.add(record, from: index, href: href(record)) }
        return (path, try writer.finish(extra: extra))
    }

    private func document(_ document: String, of repository: FilePath) throws -> String {
        let record = try #require(try Repomd(parsing: try repository.appending("repodata/repomd.xml").bytes).record(document))
        let target = directory.path.appending(UUID().uuidString)
        try Compression.decompress(repository.appending(record.location), to: target, limit: 1 << 30, expecting: record.openChecksum)
        return String(decoding: try target.bytes, as: UTF8.self)
    }

    @Test("metadata that comes from an index is byte for byte what createrepo_c writes", arguments: MetadataDocument.allCases)
    func sameAsCreaterepo(kind: MetadataDocument) async throws {
        let ours = try await write("ours", options: options).path
        #expect(try await document(kind.rawValue, of: ours) == document(kind.rawValue, of: SampleRepository.shared.path))
    }

    @Test("metadata that comes from RPM files is byte for byte what createrepo_c writes", arguments: MetadataDocument.allCases)
    func sameAsCreaterepoFromFiles(kind: MetadataDocument) async throws {
        let sample = try await SampleRepository.shared
        let path = try directory.directory("ours")
        var writer = try RepositoryWriter(directory: path, packageCount: sample.records.count, options: options)
        for record in sample.records {
            try writer.add(file: sample.path.appending(record.location), href: record.location, pkgid: record.pkgid)
        }
        _ = try writer.finish()
        #expect(try document(kind.rawValue, of: path) == document(kind.rawValue, of: sample.path))
    }

    @Test("a source without filelists or other is completed from the RPM file", arguments: [MetadataDocument.filelists, .other])
    func incompleteSource(missing: MetadataDocument) async throws {
        let sample = try await SampleRepository.shared
        let metadata = try RepositoryMetadata(decompressing: sample.path, into: try directory.directory("metadata"), without: [missing])
        let index = try MetadataIndex(opening: metadata)
        let record = try #require(sample.records.first)

        let path = try directory.directory("ours")
        var writer = try RepositoryWriter(directory: path, packageCount: 1, options: options)
        try writer.add(record, from: index, href: record.location, file: sample.path.appending(record.location))
        _ = try writer.finish()
        let theirs = try String(decoding: MetadataIndex(opening: sample.metadata).chunks(of: record.pkgid).filelists ?? [], as: UTF8.self)
        #expect(try document("filelists", of: path).contains(theirs))

        var without = try RepositoryWriter(directory: try directory.directory("without"), packageCount: 1, options: options)
        let error = #expect(throws: RepodataError.self) { try without.add(record, from: index, href: record.location) }
        #expect(error?.code == .missing)
        #expect(error?.message.contains(record.nevra.description) == true)
    }

    /// What a repository made of the package greeter says in all its documents, if its source's are changed.
    private func rewritten(_ name: String, _ change: (MetadataDocument, String) -> String) async throws -> [MetadataDocument: String] {
        let sample = try await SampleRepository.shared
        let changed = try directory.directory("changed-\(name)")
        for document in MetadataDocument.allCases {
            let file = "\(document.rawValue).xml"
            let text = change(document, String(decoding: try sample.metadata.directory.appending(file).bytes, as: UTF8.self))
            try Data(text.utf8).write(to: URL(fileURLWithPath: changed.appending(file).string))
        }
        let index = try MetadataIndex(
            opening: RepositoryMetadata(id: sample.metadata.id, directory: changed, hasFilelists: true, hasOther: true))
        let record = try #require(sample.records.first { $0.nevra.name == "greeter" && !$0.nevra.isSource })
        let path = try directory.directory("rewritten-\(name)")
        var writer = try RepositoryWriter(directory: path, packageCount: 1, options: options)
        try writer.add(record, from: index, href: "x.rpm", file: sample.path.appending(record.location))
        _ = try writer.finish()
        return try Dictionary(uniqueKeysWithValues: MetadataDocument.allCases.map { ($0, try document($0.rawValue, of: path)) })
    }

    @Test("an ampersand in a dependency or an author stays one, also in a package that is parsed and written anew")
    func ampersands() async throws {
        let comment = "<!-- not as createrepo_c writes it --></package>"
        let all = try await rewritten("ampersands") { document, text in
            switch document {
            case .primary:
                text.replacing(
                    "<rpm:provides>", with: "<rpm:provides><rpm:entry name='font(gpl&amp;gnu)'/><rpm:entry name=\"a&amp;#38;b\"/>")
            case .filelists: text.replacing("</package>", with: "<file>/usr/a&amp;b</file>\(comment)")
            case .other: text.replacing("</package>", with: "<changelog author='Q &amp; R' date='1'>x &#38; y</changelog>\(comment)")
            }
        }
        let primary = try #require(all[.primary])
        #expect(primary.contains("\"font(gpl&amp;gnu)\""))
        #expect(primary.contains("\"a&amp;#38;b\""))
        #expect(all[.filelists]?.contains("<file>/usr/a&amp;b</file>") == true)
        #expect(all[.other]?.contains("author=\"Q &amp; R\"") == true)
        #expect(all[.other]?.contains("x &amp; y") == true)
    }

    @Test("a package that only primary lists is completed from its file", arguments: [MetadataDocument.filelists, .other])
    func missingInOneDocument(missing: MetadataDocument) async throws {
        let whole = try await rewritten("whole") { $1 }
        let all = try await rewritten("lacking") { document, text in
            document == missing ? text.replacing(/<package[^>]*name="greeter"(?s:.*?)<\/package>/) { _ in "" } : text
        }
        #expect(all[missing]?.contains("name=\"greeter\"") == true)
        #expect(all == whole)
    }

    @Test("an RPM file that is not the one of the record is refused")
    func wrongFile() async throws {
        let sample = try await SampleRepository.shared
        var writer = try RepositoryWriter(directory: directory.path, packageCount: 1, options: options)
        let error = #expect(throws: RepodataError.self) {
            try writer.add(
                file: sample.path.appending(sample.packages[0]), href: "Packages/x.rpm",
                pkgid: Checksum(.sha256, hex: String(repeating: "0", count: 64)))
        }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.message.hasPrefix("Packages/x.rpm has the checksum sha256:") == true)
    }

    @Test("a package that is referred to keeps its metadata byte for byte, base and all; one without a base cannot be")
    func referring() async throws {
        let sample = try await SampleRepository.shared
        let based = try directory.directory("based")
        for name in try sample.metadata.directory.names where name.hasSuffix(".xml") {
            let text = String(decoding: try sample.metadata.directory.appending(name).bytes, as: UTF8.self)
            try Data(text.replacing("<location ", with: "<location xml:base=\"https://example.com/\" ").utf8)
                .write(to: URL(fileURLWithPath: based.appending(name).string))
        }
        let index = try MetadataIndex(
            opening: RepositoryMetadata(id: sample.metadata.id, directory: based, hasFilelists: true, hasOther: true))
        let path = try directory.directory("referring")
        var writer = try RepositoryWriter(directory: path, packageCount: sample.records.count, options: options)
        for record in sample.records {
            try writer.add(
                referring: PackageRecord(
                    nevra: record.nevra, pkgid: record.pkgid, repository: record.repository, location: record.location,
                    base: "https://example.com/", size: record.size, sourceRPM: record.sourceRPM), from: index)
        }
        _ = try writer.finish()
        for record in sample.records {
            let chunks = try index.chunks(of: record.pkgid)
            for (name, chunk) in [("primary", chunks.primary), ("filelists", chunks.filelists ?? []), ("other", chunks.other ?? [])] {
                #expect(try document(name, of: path).contains(String(decoding: chunk, as: UTF8.self)))
            }
        }
        #expect(
            try document("primary", of: path).contains("<location xml:base=\"https://example.com/\" href=\"\(sample.records[0].location)\"")
        )

        var without = try RepositoryWriter(directory: try directory.directory("without-base"), packageCount: 1, options: options)
        let error = #expect(throws: RepodataError.self) { try without.add(referring: sample.records[0], from: index) }
        #expect(error?.code == .unsupported)
    }

    @Test("only the href changes when a package moves, and the base of its source is gone")
    func href() async throws {
        let sample = try await SampleRepository.shared
        let ours = try await write("ours", options: options) { "Packages/a & b/\($0.nevra.nvr).\($0.nevra.arch).rpm" }.path
        var expected = try document("primary", of: sample.path)
        for record in sample.records {
            expected.replace("href=\"\(record.location)\"", with: "href=\"Packages/a &amp; b/\(try record.nevra.filename)\"")
        }
        #expect(try document("primary", of: ours) == expected)

        let based = try directory.directory("based")
        let text = String(decoding: try sample.metadata.primary.bytes, as: UTF8.self)
        for name in try sample.metadata.directory.names where name.hasSuffix(".xml") {
            let bytes = Array(text.replacing("<location ", with: "<location xml:base=\"https://example.com/\" ").utf8)
            try Data(name == "primary.xml" ? bytes : sample.metadata.directory.appending(name).bytes)
                .write(to: URL(fileURLWithPath: based.appending(name).string))
        }
        let index = try MetadataIndex(
            opening: RepositoryMetadata(id: sample.metadata.id, directory: based, hasFilelists: true, hasOther: true))
        let path = try directory.directory("moved")
        var writer = try RepositoryWriter(directory: path, packageCount: 1, options: options)
        try writer.add(sample.records[0], from: index, href: "x.rpm")
        _ = try writer.finish()
        #expect(try document("primary", of: path).contains("<location href=\"x.rpm\"/>"))
    }

    @Test("the same packages give the same bytes, file by file", arguments: WritableCompression.allCases)
    func deterministic(compression: WritableCompression) async throws {
        var options = options
        options.compression = compression
        let modules = RepositoryWriter.ExtraDocument(type: "modules", file: try directory.file("modules.yaml", "---\nversion: 2\n"))
        let one = try await write("one", options: options, extra: [modules])
        let two = try await write("two", options: options, extra: [modules])
        #expect(one.written == two.written)
        let names = try one.path.appending("repodata").names
        #expect(try two.path.appending("repodata").names == names)
        for name in names {
            #expect(
                try one.path.appending("repodata").appending(name).bytes == two.path.appending("repodata").appending(name).bytes, "\(name)")
        }
    }

    @Test(
        "repomd.xml tells the truth of every document, has the given times, and the names carry the checksums",
        arguments: WritableCompression.allCases)
    func repomd(compression: WritableCompression) async throws {
        let content = "---\ndocument: modulemd\n"
        let options = RepositoryWriter.Options(compression: compression, revision: "a <b>", timestamp: 5)
        let (path, written) = try await write(
            "ours", options: options, extra: [.init(type: "modules", file: try directory.file("modules.yaml", content))])
        let repomd = try Repomd(parsing: try path.appending("repodata/repomd.xml").bytes)
        #expect(repomd.id == written.repomdChecksum)
        #expect(repomd.revision == "a <b>")
        #expect(repomd.records.map(\.type) == ["primary", "filelists", "other", "modules"])
        var total = try path.appending("repodata/repomd.xml").bytes.count
        for record in repomd.records {
            let file = path.appending(record.location)
            total += try file.bytes.count
            #expect(record.size == (try file.bytes.count))
            #expect(record.checksum == (try FileChecksum.of(file, .sha256)))
            #expect(record.timestamp == 5)
            #expect(file.lastComponent?.string.hasPrefix("\(record.checksum.hex)-") == true)
            #expect(file.extension == (compression == .gzip ? "gz" : "zst"))
            #expect(try document(record.type, of: path).utf8.count == record.openSize)
        }
        #expect(written.size == total)
        #expect(written.packageCount == (try await SampleRepository.shared.records.count))
        #expect(try document("modules", of: path) == content)
        #expect(try path.appending("repodata").names.count == 5)
    }

    @Test("dnf, repo2solv and createrepo_c read it without a complaint", arguments: WritableCompression.allCases)
    func tools(compression: WritableCompression) async throws {
        let sample = try await SampleRepository.shared
        var options = options
        options.compression = compression
        let path = try await write("ours", options: options).path

        let dnf = [
            "dnf", "--quiet", "--disableplugin=*", "--releasever=1", "--setopt=reposdir=/nonexistent",
            "--setopt=cachedir=\(directory.path)/dnf",
            "--setopt=persistdir=\(directory.path)/dnf", "--setopt=logdir=\(directory.path)/dnf", "--repofrompath=ours,file://\(path)",
            "--repoid=ours", "repoquery",
        ]
        let packages = try await Tool.run(dnf + ["--qf=%{name}-%{epoch}:%{version}-%{release}.%{arch} %{location}"])
        #expect(packages.complaints == "")
        #expect(
            Set(packages.output.split(separator: "\n"))
                == Set(
                    sample.records.map {
                        "\($0.nevra.name)-\($0.nevra.epoch):\($0.nevra.version)-\($0.nevra.release).\($0.nevra.arch) \($0.location)"
                    }))
        let files = try await Tool.run(dnf + ["--list", "greeter-extras"])
        #expect(files.complaints == "")
        #expect(files.output.contains("/usr/share/greeter/größe.txt"))
        let changes = try await Tool.run(dnf + ["--changelog", "greeter"])
        #expect(changes.complaints == "")
        #expect(changes.output.contains("Jürgen \"Jo\""))

        let solv = try await Tool.run("repo2solv", path.string, "-o", directory.path.appending("x.solv").string)
        #expect(solv.output + solv.complaints == "")

        // createrepo_c 0.17 knows no Zstandard.
        if compression == .gzip {
            for name in sample.packages {
                try FileManager.default.copyItem(atPath: sample.path.appending(name).string, toPath: path.appending(name).string)
            }
            let merged = try await Tool.run(
                "mergerepo_c", "--no-database", "--omit-baseurl", "--repo", path.string, "--repo", path.string, "--outputdir",
                directory.path.appending("merged").string)
            #expect(!merged.complaints.lowercased().contains("warning") && !merged.complaints.contains("CRITICAL"), "\(merged)")
            let result = directory.path.appending("merged/repodata")
            #expect(try result.names.contains { $0.contains("primary") })
        }
    }

    @Test("an empty repository is read by dnf")
    func empty() async throws {
        let path = try directory.directory("empty")
        let writer = try RepositoryWriter(directory: path, packageCount: 0, options: options)
        #expect(try writer.finish().packageCount == 0)
        let theirs = try directory.directory("theirs")
        try await Tool.run("createrepo_c", "--quiet", "--no-database", theirs.string)
        for kind in MetadataDocument.allCases { #expect(try document(kind.rawValue, of: path) == document(kind.rawValue, of: theirs)) }
    }

    @Test("fewer packages than announced is an error")
    func fewerPackages() throws {
        let error = #expect(throws: RepodataError.self) {
            try RepositoryWriter(directory: directory.path, packageCount: 1, options: options).finish()
        }
        #expect(error?.message.contains("announced with 1 packages but got 0") == true)
    }

    @Test("an href that leaves the repository is not written", arguments: ["../x.rpm", "/x.rpm", "https://example.com/x.rpm"])
    func foreignHref(href: String) async throws {
        let sample = try await SampleRepository.shared
        let index = try MetadataIndex(opening: sample.metadata)
        var writer = try RepositoryWriter(directory: directory.path, packageCount: 1, options: options)
        let error = #expect(throws: RepodataError.self) { try writer.add(sample.records[0], from: index, href: href) }
        #expect(error?.code == .forbidden)
    }

    @Test("repodata that is there already is not written over")
    func existing() throws {
        _ = try directory.directory("repodata")
        #expect(throws: RepodataError.self) {
            try RepositoryWriter(directory: directory.path, packageCount: 0, options: options).finish()
        }
    }

    @Test(
        "metadata that is not well-formed, not UTF-8 or of another package is refused with the package's name",
        arguments: ["<oops>", "&unknown;", "\u{0}", "\u{1}", "latin", "name"])
    func spoiled(how: String) async throws {
        let sample = try await SampleRepository.shared
        let record = try #require(sample.records.first { $0.nevra.name == "greeter" && !$0.nevra.isSource })
        let spoiled = try directory.directory("spoiled")
        for document in MetadataDocument.allCases {
            let name = "\(document.rawValue).xml"
            var bytes = try sample.metadata.directory.appending(name).bytes
            if document == .primary {
                let old = how == "name" ? "<name>greeter</name>" : "<summary>"
                let position = try #require(bytes.firstRange(of: old.utf8)?.upperBound)
                switch how {
                case "latin": bytes.insert(0xE9, at: position)
                case "name": bytes.insert(UInt8(ascii: "x"), at: position - 7)
                // So much that libcreaterepo_c parses on in several pieces after the error.
                default: bytes.insert(contentsOf: Array(how.utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 50_000), at: position)
                }
            }
            try Data(bytes).write(to: URL(fileURLWithPath: spoiled.appending(name).string))
        }
        let index = try MetadataIndex(
            opening: RepositoryMetadata(id: sample.metadata.id, directory: spoiled, hasFilelists: true, hasOther: true))
        var writer = try RepositoryWriter(directory: directory.path, packageCount: 1, options: options)
        let error = #expect(throws: RepodataError.self) { try writer.add(record, from: index, href: "x.rpm") }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("greeter-2:1.0~rc1-3.noarch") == true)
    }

    @Test("four threads that each write a repository get the same bytes")
    func threads() async throws {
        let checksums = try await withThrowingTaskGroup(of: Checksum.self) { group in
            for number in 0..<4 {
                group.addTask {
                    var last: Checksum?
                    for round in 0..<10 { last = try await write("\(number)-\(round)", options: options).written.repomdChecksum }
                    return try #require(last)
                }
            }
            return try await group.reduce(into: Set<Checksum>()) { $0.insert($1) }
        }
        #expect(checksums.count == 1)
    }
}
