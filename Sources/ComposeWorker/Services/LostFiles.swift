import ComposeModel
public import ComposeStore
import Foundation
import Glibc
public import Logging
public import NIOPosix
import SystemPackage

/// Lost files are the differences between the database and the target directories after one of them was
/// lost or restored.
///
/// - A result without a directory: its composes are removed, and a renewal makes them again.
/// - Directories with numbers that the database has not given yet: new composes get higher numbers, so
///   that none takes the place of an old one.
///
/// A target directory that is not there, for example because it is not mounted, has lost nothing. It is
/// recognized by its ``TargetMarker``.
public struct LostFiles: Sendable {
    private let store: ComposeStore
    private let targets: [String: WorkerConfiguration.Target]
    private let files: TargetDirectories
    private let threadPool: NIOThreadPool
    private let logger: Logger

    public init(store: ComposeStore, targets: [String: WorkerConfiguration.Target], threadPool: NIOThreadPool, logger: Logger) {
        self.store = store
        self.targets = targets
        self.threadPool = threadPool
        self.logger = logger
        files = TargetDirectories(targets: targets, threadPool: threadPool)
    }

    /// Removes the composes whose directories are lost. Call this before a compose is made, too. It could
    /// otherwise show a lost result.
    public func removeLost() async throws {
        for (name, target) in targets.sorted(by: { $0.key < $1.key }) {
            // A directory exists before its result is recorded, and is deleted after the result is retired.
            let results = try await store.results(inTarget: name)
            if results.isEmpty { continue }
            guard try await isThere(name, target) else { continue }
            let lost = try await threadPool.runIfActive {
                let present = try Set(FileManager.default.contentsOfDirectory(atPath: target.directory.string))
                // A list of a network file system can be old, or end early. So each directory is looked at as well.
                return results.filter { id in
                    let name = ComposeLayout(id: id).directory
                    return !present.contains(name) && Self.isMissing(target.directory.appending(name))
                }
            }
            // The list may have ended early because the directory went away meanwhile.
            guard !lost.isEmpty, try await isThere(name, target) else { continue }
            let composes = try await store.retire(lost: lost)
            logger.error(
                "the directories of composes are lost; they can be renewed",
                metadata: ["target": "\(name)", "results": "\(lost.count)", "composes": "\(composes.count)"])
        }
    }

    /// Whether the file system says that nothing has this path. Blocks.
    private static func isMissing(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) != 0 && errno == ENOENT
    }

    /// The highest number that a compose of a directory is believed to have. A number above it would use up
    /// the numbers of the service.
    private static let highestNumber = 1_000_000_000

    /// Leaves out the numbers of directories that the database does not know. Call this before a compose is
    /// made.
    public func skipUnknownNumbers() async throws {
        var last = 0
        for (name, target) in targets {
            guard try await isThere(name, target) else { continue }
            last = max(last, try await files.results(in: name).map(\.id).filter { $0 <= Self.highestNumber }.max() ?? 0)
        }
        guard last > 0, try await store.skipComposeNumbers(upTo: last) else { return }
        logger.error(
            "the target directories have composes that the database does not know, as after its loss; new composes get higher numbers",
            metadata: ["last": "\(last)"])
    }

    /// Whether the directory is the one that the service uses.
    private func isThere(_ name: String, _ target: WorkerConfiguration.Target) async throws -> Bool {
        guard let known = try await store.identity(ofTarget: name) else { return false }
        return try await threadPool.runIfActive { try TargetMarker(in: target.directory).read() == known }
    }
}
