import Compression
import Foundation
import SystemPackage

@testable import Repodata

/// RPMs that rpmbuild made of the spec files in `Fixtures`, in a repository that createrepo_c made; built once a test run.
struct SampleRepository: Sendable {
    let directory: TemporaryDirectory
    /// The RPM files, by name.
    let packages: [String]
    let metadata: RepositoryMetadata
    /// In the order of the repository.
    let records: [PackageRecord]

    /// The directory of the repository.
    var path: FilePath { directory.path.appending("repo") }

    static var shared: SampleRepository { get async throws { try await built.value } }

    private static let built = Task { try await SampleRepository() }

    private init() async throws {
        directory = try TemporaryDirectory.ofRun.get()
        let built = try directory.directory("build")
        let repository = try directory.directory("repo")
        let fixtures = FilePath(#filePath).removingLastComponent().appending("Fixtures")
        for spec in ["greeter.spec", "oldtimer.spec"] {
            try await Tool.run(
                "rpmbuild", "-ba", "--define", "_topdir \(built)", "--define", "use_source_date_epoch_as_buildtime 1",
                fixtures.appending(spec).string, environment: ["SOURCE_DATE_EPOCH": "1790000000"])
        }
        var packages: [String] = []
        for file in FileManager.default.enumerator(atPath: built.string)?.compactMap({ $0 as? String }) ?? [] where file.hasSuffix(".rpm") {
            let name = FilePath(file).lastComponent!.string
            let target = repository.appending(name).string
            try FileManager.default.moveItem(atPath: built.appending(file).string, toPath: target)
            // createrepo_c writes the time of the file, this project the time of the build.
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 1_790_000_000)], ofItemAtPath: target)
            packages.append(name)
        }
        self.packages = packages.sorted()
        try await Tool.run("createrepo_c", "--quiet", "--no-database", repository.string)
        metadata = try RepositoryMetadata(decompressing: repository, into: try directory.directory("metadata"))
        records = try metadata.records()
    }
}

extension RepositoryMetadata {
    /// As a cache does it: all documents of `repository` decompressed in `directory`.
    init(decompressing repository: FilePath, into directory: FilePath, without missing: Set<MetadataDocument> = []) throws {
        let bytes = try repository.appending("repodata/repomd.xml").bytes
        let repomd = try Repomd(parsing: bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: directory.appending("repomd.xml").string))
        for document in MetadataDocument.allCases where !missing.contains(document) {
            let record = repomd.record(document.rawValue)!
            try Compression.decompress(
                repository.appending(record.location), to: directory.appending("\(document.rawValue).xml"), limit: 1 << 30,
                expecting: record.openChecksum)
        }
        self.init(
            id: repomd.id, directory: directory, hasFilelists: !missing.contains(.filelists), hasOther: !missing.contains(.other))
    }

    /// What primary lists.
    func records() throws -> [PackageRecord] {
        try XMLDocument(try primary.bytes, named: "primary").root.children.map { package in
            let version = package.child("version")!
            let checksum = package.child("checksum")!
            let source = package.child("format")!.child("rpm:sourcerpm")!.text
            return PackageRecord(
                nevra: NEVRA(
                    name: package.child("name")!.text, epoch: Int(version["epoch"]!)!, version: version["ver"]!, release: version["rel"]!,
                    arch: package.child("arch")!.text),
                pkgid: Checksum(Checksum.Algorithm(rpmMD: checksum["type"]!)!, hex: checksum.text), repository: id,
                location: package.child("location")!["href"]!, size: Int(package.child("size")!["package"]!)!,
                sourceRPM: source.isEmpty ? nil : source)
        }
    }
}
