import Foundation
import HTTPEnvironment
import Logging
import NIOPosix
import SystemPackage

@testable import ContentSources

/// A directory of its own with all that a test of sources needs; removed at the end.
///
/// ```
/// sources/   what may be read
/// outside/   what may not
/// cache/     metadata
/// tree/      where packages are delivered to
/// ```
struct Workbench: Sendable {
    let directory: FilePath
    let client: OutboundClient
    let threadPool: NIOThreadPool

    var sources: FilePath { directory.appending("sources") }
    var outside: FilePath { directory.appending("outside") }
    var cache: FilePath { directory.appending("cache") }
    var tree: FilePath { directory.appending("tree") }

    /// Quick to give up: every wait is one that a test provokes.
    static let limits = SourceLimits(
        connectTimeout: .seconds(5), readTimeout: .seconds(20), attempts: 3, firstPause: .milliseconds(1), longestPause: .milliseconds(2))

    static func with<Result>(
        limits: SourceLimits = limits, _ body: (Workbench) async throws -> Result
    ) async throws -> Result {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-sources-\(UUID().uuidString)")
        let client = OutboundClient(limits.httpClientConfiguration)
        let bench = Workbench(directory: directory, client: client, threadPool: .singleton)
        for part in [bench.sources, bench.outside, bench.tree] { try part.createDirectory() }
        let result: Swift.Result<Result, any Error>
        do { result = .success(try await body(bench)) } catch { result = .failure(error) }
        try await client.shutdown()
        try FileManager.default.removeItem(atPath: directory.string)
        return try result.get()
    }

    func access(_ prefixes: [String] = []) throws -> SourceAccess {
        try SourceAccess(allowedRoots: [sources], allowedURLPrefixes: prefixes)
    }

    func source(
        _ prefixes: [String] = [], access: SourceAccess? = nil, limits: SourceLimits = Workbench.limits, cache: FilePath? = nil,
        logger: Logger = Workbench.logger
    ) throws -> RepositorySource {
        RepositorySource(
            access: try access ?? self.access(prefixes), limits: limits, cacheDirectory: cache ?? self.cache, httpClient: client,
            threadPool: threadPool, logger: logger)
    }

    func delivery(_ prefixes: [String] = [], limits: SourceLimits = Workbench.limits, verify: Bool = true) throws -> PackageDelivery {
        PackageDelivery(
            access: try access(prefixes), limits: limits, httpClient: client, threadPool: threadPool, logger: Self.logger, verify: verify)
    }

    /// The names in the cache, without the names of the latest revisions.
    func keptMetadata() throws -> [String] { try names(in: cache).filter { $0 != "latest" } }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// The names in a directory, hidden ones too; none where there is no directory.
    func names(in directory: FilePath) throws -> [String] {
        guard directory.exists else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory.string).sorted()
    }
}

extension FilePath {
    /// The file's bytes.
    func contents() throws -> [UInt8] { try RegularFile.contents(of: self) }

    func write(_ text: String) throws { try write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: string)) }

    var inode: Int { get throws { Int(try stat().rawValue.st_ino) } }
}
