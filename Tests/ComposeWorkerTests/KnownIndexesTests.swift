import Compression
import Foundation
import Repodata
import SystemPackage
import Testing

@testable import ComposeWorker

@Suite("Indexes that stay open between composes")
struct KnownIndexesTests {
    private static let pkgid = Checksum(.sha256, hex: String(repeating: "a", count: 64))

    /// Writes metadata with one package. Each file is a new one, as a cache's are.
    private func metadata(in directory: FilePath, packager: String) throws -> RepositoryMetadata {
        let id = Self.pkgid.hex
        let texts = [
            "primary.xml": """
            <metadata xmlns="http://linux.duke.edu/metadata/common" packages="1">
            <package type="rpm"><name>a</name><checksum type="sha256" pkgid="YES">\(id)</checksum><packager>\(packager)</packager></package>
            </metadata>
            """,
            "filelists.xml": #"<filelists packages="1"><package pkgid="\#(id)"/></filelists>"#,
            "other.xml": #"<otherdata packages="1"><package pkgid="\#(id)"/></otherdata>"#,
        ]
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        for (name, text) in texts {
            try Data(text.utf8).write(to: URL(fileURLWithPath: directory.appending(name).string), options: .atomic)
        }
        return RepositoryMetadata(id: Self.pkgid, directory: directory, hasFilelists: true, hasOther: true, place: "a")
    }

    private func packager(in index: MetadataIndex) throws -> String {
        let text = String(decoding: try index.chunks(of: Self.pkgid).primary, as: UTF8.self)
        return text.split(separator: "<packager>")[1].split(separator: "<")[0].description
    }

    @Test("a cache that was removed and filled again is opened again, and never read through the old files")
    func replaced() throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-known-\(UUID())")
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let indexes = KnownIndexes()
        let old = try metadata(in: directory, packager: "old")
        #expect(try packager(in: indexes.index(of: old)) == "old")
        #expect(try packager(in: indexes.index(of: old)) == "old")
        try FileManager.default.removeItem(atPath: directory.string)
        // The sizes are equal, so that only the files differ.
        let new = try metadata(in: directory, packager: "new")
        #expect(new == old)
        #expect(try packager(in: indexes.index(of: new)) == "new")
    }

    @Test("an index stays usable while its cache is removed, and the next use reports what is missing")
    func removed() throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-known-\(UUID())")
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let indexes = KnownIndexes()
        let metadata = try metadata(in: directory, packager: "old")
        let index = try indexes.index(of: metadata)
        try FileManager.default.removeItem(atPath: directory.string)
        #expect(try packager(in: index) == "old")
        #expect(throws: RepodataError.self) { try indexes.index(of: metadata) }
    }
}
