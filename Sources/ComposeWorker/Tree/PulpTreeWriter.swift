import ComposeModel
import ComposeStore
import Foundation
import NIOPosix
import SystemPackage

/// A Pulp tree writer writes a compose of Pulp's repositories into its attempt's directory. The compose
/// has no packages, only documents that lead to Pulp's repositories.
struct PulpTreeWriter: TreeWriter {
    let attempt: ComposeAttempt
    let pin: PulpPin
    let gpgcheck: Bool
    let threadPool: NIOThreadPool

    /// The content of `compose.lock.json`: the request, and every repository as Pulp described it.
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

    func write() async throws -> WrittenTree {
        let compose = attempt.lease.compose
        let request = compose.request
        let repoFile = PulpRepoFile(
            layout: attempt.layout, repositories: pin.repositories,
            onlyCompatibleArch: request.flags.contains(.useOnlyCompatibleArch), gpgcheck: gpgcheck)
        let lock = Lock(
            request: .init(source: request.source, flags: request.flags.names), repositories: pin.repositories, absent: pin.absent)
        do {
            try await threadPool.runIfActive {
                try FileManager.default.createDirectory(
                    atPath: attempt.directory.appending(ComposeLayout.repositories).string, withIntermediateDirectories: true)
                try ComposeDocuments(attempt: attempt).write(repoFile: repoFile.text, lock: try ComposeDocuments.text(ofLock: lock))
            }
        } catch {
            throw ComposeFailure.writing(error)
        }
        let count = pin.repositories.count
        return WrittenTree(
            directory: attempt.directory, composeID: ComposeIdentity(compose).id, packages: 0, bytes: 0,
            summary: count == 1 ? "1 repository of Pulp" : "\(count) repositories of Pulp",
            findings: pin.absent.map { "\($0) is left out: Pulp has neither a content set nor a repository of that name to offer." })
    }
}
