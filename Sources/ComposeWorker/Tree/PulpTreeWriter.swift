import ComposeModel
import Foundation
import NIOPosix

/// Writes a compose of Pulp's repositories into its attempt's directory: no packages, only the documents that lead to them.
struct PulpTreeWriter: Sendable {
    let attempt: ComposeAttempt
    /// What the compose is pinned to.
    let repositories: [PulpRepository]
    /// The names in the request that were left out.
    let absent: [String]
    let gpgcheck: Bool
    let threadPool: NIOThreadPool

    /// `compose.lock.json`: what was asked for, and every repository as Pulp described it.
    private struct Lock: Encodable {
        struct Request: Encodable {
            let source: [String]
            let flags: [String]
        }

        let version = 1
        let request: Request
        let repositories: [PulpRepository]
        let absent: [String]
    }

    func write() async throws {
        let request = attempt.lease.compose.request
        let repoFile = PulpRepoFile(
            layout: attempt.layout, repositories: repositories, onlyCompatibleArch: request.flags.contains(.useOnlyCompatibleArch),
            gpgcheck: gpgcheck)
        let lock = Lock(
            request: .init(source: request.source, flags: request.flags.names), repositories: repositories, absent: absent)
        do {
            try await threadPool.runIfActive {
                try FileManager.default.createDirectory(
                    atPath: attempt.directory.appending(ComposeLayout.repositories).string, withIntermediateDirectories: true)
                try ComposeDocuments(attempt: attempt).write(repoFile: repoFile.text, lock: lock)
            }
        } catch let error as CocoaError {
            throw ComposeFailure(storage: error)
        }
    }
}
