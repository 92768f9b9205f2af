import ComposeModel
import ComposeStore
import Foundation
import Logging
import SystemPackage

/// A compose attempt is one attempt at one compose, with its places on disk.
struct ComposeAttempt: Sendable {
    let lease: ComposeLease
    let target: WorkerConfiguration.Target
    let layout: ComposeLayout
    let log: ComposeLog
    /// The deadline until which the attempt may write to places that other attempts also write to.
    let deadline: LeaseDeadline
    let meter = WorkMeter()
    /// The directory in which this attempt builds. No other attempt can have the same directory, because
    /// its name contains the token of the lease.
    ///
    /// The first step that writes to the directory creates it. So an attempt that shows the result of
    /// another compose never has one.
    let directory: FilePath

    var request: ComposeRequest { lease.compose.request }

    /// Opens the log. Removes the files that lost workers left from earlier attempts at the same compose.
    /// The lease guarantees that no earlier attempt continues. Throws `.storage`.
    init(_ lease: ComposeLease, until deadline: LeaseDeadline, configuration: WorkerConfiguration) throws(ComposeFailure) {
        let name = lease.compose.request.targetDir
        guard let target = configuration.targets[name] else {
            throw ComposeFailure(.storage, "This worker has no target directory called \(name); its configuration must name it.")
        }
        self.lease = lease
        self.target = target
        self.deadline = deadline
        layout = ComposeLayout(id: lease.compose.id)
        // It is below the target directory, so that one rename publishes the result.
        directory = target.directory.appending(layout.attempt(lease.token.uuidString.lowercased()))
        do {
            let logs = target.directory.appending(ComposeLayout.logs)
            try FileManager.default.createDirectory(atPath: logs.string, withIntermediateDirectories: true)
            log = try ComposeLog(target.directory.appending(layout.pendingLog), until: deadline)
            let work = target.directory.appending(ComposeLayout.work)
            try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
            // After the deadline, these files may belong to the worker that took over.
            if !deadline.isOver { try Self.removeLeftovers(of: layout, in: work) }
        } catch {
            throw ComposeFailure(storage: error)
        }
    }

    private static func removeLeftovers(of layout: ComposeLayout, in work: FilePath) throws {
        for leftover in try FileManager.default.contentsOfDirectory(atPath: work.string)
        where leftover.hasPrefix("\(layout.directory).") {
            try FileManager.default.removeItem(atPath: work.appending(leftover).string)
        }
    }

    /// Prepares to answer a question. No compose exists for it, and nothing is published. Its directory and
    /// its log are temporary. If the worker ends, the sweeper removes them. Throws `.storage`.
    ///
    /// - Parameter specification: The specification whose pins hold, or `nil` for the sources of now.
    init(
        answering question: Question, pinnedBy specification: ComposeSpecification? = nil, configuration: WorkerConfiguration
    ) throws(ComposeFailure) {
        let name = question.request.targetDir
        guard let target = configuration.targets[name] else {
            throw ComposeFailure(.storage, "This worker has no target directory called \(name); its configuration must name it.")
        }
        lease = question.lease(pinnedBy: specification)
        layout = ComposeLayout(id: 0)
        deadline = LeaseDeadline(length: .seconds(3600))
        self.target = target
        directory = target.directory.appending(layout.attempt(lease.token.uuidString.lowercased()))
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
            log = try ComposeLog(directory.appending("log"), until: deadline)
        } catch {
            throw ComposeFailure(storage: error)
        }
    }

    /// Removes the files that the attempt has built, unless they were published. The log stays.
    func removeDirectory(logger: Logger?) {
        do {
            try FileManager.default.removeItem(atPath: directory.string)
        } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            logger?.error("could not remove the directory of an attempt; the sweeper will", metadata: ["error": "\(error)"])
        }
    }
}
