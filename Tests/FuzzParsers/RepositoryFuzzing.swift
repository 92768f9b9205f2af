import ContentSources
import Crypto
import Depsolve
import Foundation
import HTTPEnvironment
import Logging
import NIOPosix
import Repodata
import SystemPackage

/// Reads repositories as a worker does: pins them, brings their documents into a cache, makes the
/// index, and resolves all packages with libsolv.
actor RepositoryFuzzing {
    static let shared = RepositoryFuzzing()

    private let directory = FilePath(FileManager.default.temporaryDirectory.path)
    private let depsolver = Depsolver(poolMemoryLimit: 1, timeLimit: .seconds(5))
    private let client = OutboundClient(SourceLimits().httpClientConfiguration)

    /// The documents of a package, for inputs that replace one of them.
    private static let pkgid = String(repeating: "a", count: 64)
    private static let primary = """
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="1">
        <package type="rpm"><name>ed</name><arch>x86_64</arch><version epoch="0" ver="1" rel="1"/>
        <checksum type="sha256" pkgid="YES">\(pkgid)</checksum><location href="ed.rpm"/>
        <format><rpm:requires><rpm:entry name="/usr/bin/sh"/></rpm:requires></format></package>
        </metadata>
        """

    func read(primary: [UInt8]) async throws { try await read(["primary": primary]) }

    func read(filelists: [UInt8]) async throws { try await read(["primary": Array(Self.primary.utf8), "filelists": filelists]) }

    private func read(_ documents: [String: [UInt8]]) async throws {
        let repository = directory.appending("repository")
        let cache = directory.appending("cache")
        for place in [repository, cache] { try? FileManager.default.removeItem(atPath: place.string) }
        try FileManager.default.createDirectory(atPath: repository.appending("repodata").string, withIntermediateDirectories: true)
        var records = ""
        for (type, bytes) in documents.sorted(by: { $0.key < $1.key }) {
            try Data(bytes).write(to: URL(filePath: repository.appending("repodata/\(type).xml").string))
            let sum = SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
            records += """
                <data type="\(type)"><checksum type="sha256">\(sum)</checksum><location href="repodata/\(type).xml"/>\
                <size>\(bytes.count)</size></data>
                """
        }
        let repomd = "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\(records)</repomd>"
        try Data(repomd.utf8).write(to: URL(filePath: repository.appending("repodata/repomd.xml").string))

        let source = RepositorySource(
            access: try SourceAccess(allowedRoots: [directory], allowedURLPrefixes: []), cacheDirectory: cache, httpClient: client,
            threadPool: .singleton, logger: Logger(label: "fuzz") { _ in SwiftLogNoOpLogHandler() })
        let pinned = try await source.metadata(for: try await source.pin(.directory(repository)))
        let index = try MetadataIndex(opening: pinned.metadata)
        let request = DepsolveRequest(repositories: [pinned.metadata], arches: ["x86_64"], checkInstallability: true)
        let resolution = try await depsolver.resolve(request)
        for package in resolution.trees.flatMap(\.binaries) {
            _ = try index.chunks(of: package.record.pkgid)
        }
    }
}
