import ComposeModel
import Foundation
import SystemPackage

/// Gives a finished attempt's directory its public names.
struct Publication: Sendable {
    let attempt: ComposeAttempt
    /// What becomes the compose's directory.
    let directory: FilePath

    /// By one rename: a reader sees nothing of the compose, or all of it.
    ///
    /// - Returns: `false` where a directory with that name is there already; nothing was done.
    func place() throws(ComposeFailure) -> Bool {
        do {
            try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
        } catch CocoaError.fileWriteFileExists {
            return false
        } catch {
            throw ComposeFailure(storage: error)
        }
        try giveOtherNames()
        return true
    }

    /// As ``place()``, where a directory is there that was left by an attempt which moved it and was never recorded as done; it is put aside.
    ///
    /// Whoever calls it has made sure that the compose is still its own: else the directory is that of the worker that took over.
    func replace() throws(ComposeFailure) {
        do {
            let aside = attempt.target.directory.appending(attempt.layout.attempt(UUID().uuidString.lowercased()))
            try FileManager.default.moveItem(atPath: final.string, toPath: aside.string)
            try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
            try FileManager.default.removeItem(atPath: aside.string)
        } catch {
            throw ComposeFailure(storage: error)
        }
        try giveOtherNames()
    }

    private var final: FilePath { attempt.target.directory.appending(attempt.layout.directory) }

    private func giveOtherNames() throws(ComposeFailure) {
        // These belong to the worker that took over, if one did.
        if attempt.deadline.isOver { return }
        let target = attempt.target.directory
        do {
            let latest = target.appending(attempt.layout.latest)
            // Mostly there is none; one that cannot be removed makes the next line fail.
            try? FileManager.default.removeItem(atPath: latest.string)
            try FileManager.default.createSymbolicLink(atPath: latest.string, withDestinationPath: attempt.layout.directory)
            // The log is the tree's own from here on; a name that stays behind goes with the result.
            try? FileManager.default.removeItem(atPath: target.appending(attempt.layout.pendingLog).string)
        } catch {
            throw ComposeFailure(storage: error)
        }
    }
}
