import ComposeModel
import ComposeStore
import ContentSources
import Foundation
import Logging
import Repodata
import SystemPackage

/// One attempt at one compose and its places on disk.
struct ComposeAttempt: Sendable {
    let lease: ComposeLease
    let target: WorkerConfiguration.Target
    let layout: ComposeLayout
    let log: ComposeLog
    /// Until when it may write where other attempts do.
    let deadline: LeaseDeadline
    let meter = WorkMeter()

    /// Opens the log. What lost workers left of earlier attempts at the same compose is removed, since the lease says that none of them goes on.
    init(_ lease: ComposeLease, until deadline: LeaseDeadline, configuration: WorkerConfiguration) throws(ComposeFailure) {
        let name = lease.compose.request.targetDir
        guard let target = configuration.targets[name] else {
            throw ComposeFailure(.storage, "This worker has no target directory called \(name); its configuration must name it.")
        }
        self.lease = lease
        self.target = target
        self.deadline = deadline
        layout = ComposeLayout(id: lease.compose.id)
        do {
            let logs = target.directory.appending(ComposeLayout.logs)
            try FileManager.default.createDirectory(atPath: logs.string, withIntermediateDirectories: true)
            log = try ComposeLog(target.directory.appending(layout.pendingLog), until: deadline)
            let work = target.directory.appending(ComposeLayout.work)
            try FileManager.default.createDirectory(atPath: work.string, withIntermediateDirectories: true)
            // They may be the worker's that took over.
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

    /// Where this attempt builds, below the target directory. No other attempt can have it: the lease's token is part of its name. It is made by whoever
    /// writes there first, so that a compose that shows another one is done without it.
    var directory: FilePath { target.directory.appending(layout.attempt(lease.token.uuidString.lowercased())) }

    /// Takes away what the attempt has built, unless it has been published; the log stays.
    func removeDirectory(logger: Logger) {
        do {
            try FileManager.default.removeItem(atPath: directory.string)
        } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            logger.error("could not remove the directory of an attempt; the sweeper will", metadata: ["error": "\(error)"])
        }
    }
}

extension ComposeFailure {
    /// What a failed write to the target directory means to a person; a full disk may be cleared, so trying again can help.
    init(storage error: any Error) {
        let what =
            switch error {
            case CocoaError.fileWriteOutOfSpace, Errno.noSpace, Errno.diskQuotaExceeded:
                "This service's disk is full. Its administrators have to make room."
            case CocoaError.fileWriteNoPermission, CocoaError.fileWriteVolumeReadOnly, Errno.permissionDenied, Errno.readOnlyFileSystem:
                "The server may not write to the disk that composes are written to; the server's operator can help."
            case let error as RepodataError: "The compose could not be written to disk (\(error.message)); the server's operator can help."
            case let error as Errno: "The compose could not be written to disk (\(error)); the server's operator can help."
            case let error as CocoaError:
                "The compose could not be written to disk (file error \(error.code.rawValue)); the server's operator can help."
            default: "The compose could not be written to disk; the server's operator can help."
            }
        self.init(.storage, what, isTransient: true)
    }

    /// What it means to a person that repodata could not be written.
    init(writing error: RepodataError) {
        switch error.code {
        case .io: self.init(storage: error)
        case .signing: self.init(.signing, error.message)
        case .host: self.init(host: error)
        default: self.init(.metadataCorrupt, error.message)
        }
    }
}
