import BackgroundWork
public import BuildNodes
public import ComposeStore
import ComposeWorker
import Foundation
import ImageModel
public import Logging
import NIOPosix
public import ServiceLifecycle
import SystemPackage

/// A *build sweeper* removes what no build needs any more:
///
/// - contexts of attempts that ended without their worker
/// - images, working containers, directories and control groups on the node
/// - base images and caches on the node, if its disk is nearly full
/// - logs of builds that ended long ago
public struct BuildSweeper: Service {
    /// The free bytes of the node's disk below which base images are removed.
    private static let neededBytes = 2 << 30

    let configuration: ImageBuildConfiguration
    let store: ComposeStore
    /// Nil if the worker has no node of its own.
    let node: LocalNode?
    let logger: Logger

    public init(configuration: ImageBuildConfiguration, store: ComposeStore, node: LocalNode?, logger: Logger) {
        self.configuration = configuration
        self.store = store
        self.node = node
        self.logger = logger
    }

    public func run() async throws {
        await housekeeping(every: configuration.sweepInterval) {
            do {
                try await runOnce()
            } catch {
                logger.workFailed("could not remove what builds have left", error)
            }
        }
    }

    /// Throws the first error, after everything else was removed.
    func runOnce() async throws {
        var failure: (any Error)?
        for sweep in [sweepContexts, sweepLogs, sweepNode] {
            do { try await sweep() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func sweepNode() async throws {
        guard let node else { return }
        let report = try await Sweeper(node).sweep(bases: try node.directory.freeBytes() < Self.neededBytes) {
            Set(try await store.begunSteps().map { try PlatformStep.name(of: $0.key, submitted: $0.value) })
        }
        guard report != Sweeper.Report() else { return }
        logger.info(
            "removed what builds have left on the node",
            metadata: [
                "containers": "\(report.containers)", "images": "\(report.images)", "directories": "\(report.directories)",
                "groups": "\(report.groups)",
            ])
    }

    private func sweepContexts() async throws {
        // The directories are listed before the database is asked. A directory that appears between the two
        // steps is not in the list.
        let tokens = try await names(in: configuration.workDirectory).compactMap { UUID(uuidString: $0) }
        let open = try await store.openAttempts(among: tokens)
        for token in tokens where !open.contains(token) {
            try await remove(configuration.workDirectory.appending(token.uuidString.lowercased()))
            logger.info("removed the context of an attempt that has ended", metadata: ["token": "\(token)"])
        }
    }

    private func sweepLogs() async throws {
        guard let target = configuration.logTarget else { return }
        let builds = try await names(in: target.appending(BuildLayout.directory)).compactMap { Int($0) }
        guard !builds.isEmpty else { return }
        for build in try await store.builds(among: builds, endedBefore: configuration.logRetention).sorted() {
            try await remove(target.pushing(FilePath(BuildLayout(build: build).logs)))
            logger.info("removed the logs of a build", metadata: ["build": "\(build)"])
        }
    }

    private func names(in directory: FilePath) async throws -> [String] {
        try await NIOThreadPool.singleton.runIfActive {
            do {
                return try FileManager.default.contentsOfDirectory(atPath: directory.string)
            } catch CocoaError.fileNoSuchFile, CocoaError.fileReadNoSuchFile {
                return []
            }
        }
    }

    private func remove(_ path: FilePath) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            do {
                try FileManager.default.removeItem(atPath: path.string)
            } catch CocoaError.fileNoSuchFile {
                return
            }
        }
    }
}
