import ComposeModel
import ComposeStore
import Foundation
import NIOPosix
import SystemPackage

/// The contents of all target directories together, for the services that clean up.
struct TargetDirectories: Sendable {
    let targets: [String: WorkerConfiguration.Target]
    let threadPool: NIOThreadPool

    /// The directory of an attempt. Its name gives the compose and the token.
    struct Attempt: Hashable, Sendable {
        let compose: Int
        let token: UUID
        let path: FilePath
    }

    func attempts() async throws -> [Attempt] {
        try await threadPool.runIfActive {
            try targets.values.flatMap { target -> [Attempt] in
                let work = target.directory.appending(ComposeLayout.work)
                return try entries(of: work).compactMap { name in
                    let parts = name.split(separator: ".", maxSplits: 1)
                    guard parts.count == 2, let compose = composeID(parts[0]), let token = UUID(uuidString: String(parts[1])) else {
                        return nil
                    }
                    return Attempt(compose: compose, token: token, path: work.appending(name))
                }
            }
        }
    }

    /// Returns every directory that has the name of a result.
    func results() async throws -> [RetiredResult] {
        try await threadPool.runIfActive {
            try targets.flatMap { name, target -> [RetiredResult] in
                try entries(of: target.directory).compactMap { entry in
                    composeID(entry[...]).map { RetiredResult(id: $0, targetDir: name) }
                }
            }
        }
    }

    /// Returns every directory of one target that has the name of a result.
    func results(in name: String) async throws -> [RetiredResult] { try await results().filter { $0.targetDir == name } }

    func remove(_ attempt: Attempt) async throws {
        try await threadPool.runIfActive { try removeIfThere(attempt.path) }
    }

    /// Removes a result. One rename takes it out of sight before its files are deleted one by one.
    func remove(_ result: RetiredResult) async throws {
        guard let target = targets[result.targetDir] else { return }
        let layout = ComposeLayout(id: result.id)
        try await threadPool.runIfActive {
            let doomed = target.directory.appending(layout.attempt(UUID().uuidString.lowercased()))
            try FileManager.default.createDirectory(
                atPath: target.directory.appending(ComposeLayout.work).string, withIntermediateDirectories: true)
            try removeIfThere(target.directory.appending(layout.latest))
            do {
                try FileManager.default.moveItem(atPath: target.directory.appending(layout.directory).string, toPath: doomed.string)
            } catch CocoaError.fileNoSuchFile, CocoaError.fileReadNoSuchFile {
                return
            }
            try removeIfThere(doomed)
        }
    }

    /// Returns the composes that have a log beside their directory. A compose may occur more than once.
    func logs() async throws -> [Int] {
        try await threadPool.runIfActive {
            try targets.values.flatMap { target in
                try entries(of: target.directory.appending(ComposeLayout.logs)).compactMap { name in
                    name.hasSuffix(".log") ? composeID(name.dropLast(".log".count)) : nil
                }
            }
        }
    }

    /// Removes the log of a compose from every target directory. If several removals fail, throws the last
    /// error.
    func removeLog(of compose: Int) async throws {
        try await threadPool.runIfActive {
            var failure: (any Error)?
            for target in targets.values {
                do {
                    try removeIfThere(target.directory.appending(ComposeLayout(id: compose).pendingLog))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
    }

    private func composeID(_ name: Substring) -> Int? {
        guard let id = Int(name.dropFirst("odcs-".count)), ComposeLayout(id: id).directory == name else { return nil }
        return id
    }

    private func entries(of directory: FilePath) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory.string)
        } catch CocoaError.fileNoSuchFile, CocoaError.fileReadNoSuchFile {
            return []
        }
    }

    private func removeIfThere(_ path: FilePath) throws {
        do {
            try FileManager.default.removeItem(atPath: path.string)
        } catch CocoaError.fileNoSuchFile {
            return
        }
    }
}
