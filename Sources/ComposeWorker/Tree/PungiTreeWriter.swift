import ComposeModel
import ComposeStore
import Foundation
import NIOPosix
import SystemPackage

/// A Pungi tree writer lets Pungi make a compose in its attempt's directory. It adds the lock file and
/// the log that every compose of this service has.
struct PungiTreeWriter: TreeWriter {
    let attempt: ComposeAttempt
    let configuration: PungiConfiguration
    let checkout: RawConfigCheckout
    let threadPool: NIOThreadPool

    /// The content of `compose.lock.json`: the request, and the commit of the configuration.
    private struct Lock: Encodable {
        let version = 1
        let request: ComposeRequest
        let configuration: RawConfigPin
    }

    func write() async throws -> WrittenTree {
        let compose = attempt.lease.compose
        let result = try await PungiRunner(configuration: configuration, log: attempt.log).run(
            checkout, for: PungiInputs(compose, source: checkout.pin.name, kojiEvent: compose.kojiEvent),
            in: attempt.directory.appending("pungi"))
        let lock = Lock(request: compose.request, configuration: checkout.pin)
        do {
            return try await threadPool.runIfActive {
                let documents = ComposeDocuments(attempt: attempt, directory: result.directory)
                try documents.write(lock: try ComposeDocuments.text(ofLock: lock))
                try documents.linkLog()
                let sizes = try packageSizes(below: result.directory)
                return WrittenTree(
                    directory: result.directory, composeID: result.id, packages: sizes.count, bytes: sizes.reduce(0, +),
                    summary: "\(WrittenTree.summary(ofPackages: sizes.count)), by Pungi",
                    findings: result.isIncomplete ? ["Something that may be absent is: Pungi calls the compose FINISHED_INCOMPLETE."] : [])
            }
        } catch {
            throw ComposeFailure.writing(error)
        }
    }

    /// Returns the size of each RPM in the tree, in bytes.
    private func packageSizes(below directory: FilePath) throws -> [Int] {
        guard let files = FileManager.default.enumerator(atPath: directory.string) else { return [] }
        var sizes: [Int] = []
        while let path = files.nextObject() as? String {
            let attributes = files.fileAttributes
            if path.hasSuffix(".rpm"), attributes?[.type] as? FileAttributeType == .typeRegular, let size = attributes?[.size] as? Int {
                sizes.append(size)
            }
        }
        return sizes
    }
}
