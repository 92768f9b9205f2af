import ComposeModel
import Foundation
import SystemPackage

/// A publication gives the directory of a finished attempt its public names.
struct Publication: Sendable {
    let attempt: ComposeAttempt
    /// The directory that becomes the compose's directory.
    let directory: FilePath

    /// Moves the directory to its public name by one rename. A reader sees either nothing of the compose or
    /// all of it.
    ///
    /// - Returns: `false` if a directory with that name already exists. In that case nothing was done.
    func place() throws(ComposeFailure) -> Bool {
        do {
            try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
        } catch CocoaError.fileWriteFileExists {
            return false
        } catch {
            throw ComposeFailure(storage: error)
        }
        return true
    }

    /// Does the same as ``place()`` if a directory with the public name already exists. An attempt that was
    /// never recorded as done has moved it there. The old directory is put aside and removed.
    ///
    /// The caller must have made sure that it still holds the compose. Otherwise the old directory belongs
    /// to the worker that took over.
    func replace() throws(ComposeFailure) {
        do {
            let aside = attempt.target.directory.appending(attempt.layout.attempt(UUID().uuidString.lowercased()))
            try FileManager.default.moveItem(atPath: final.string, toPath: aside.string)
            try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
            try FileManager.default.removeItem(atPath: aside.string)
        } catch {
            throw ComposeFailure(storage: error)
        }
    }

    private var final: FilePath { attempt.target.directory.appending(attempt.layout.directory) }

    /// Gives the placed directory its second name, and removes the name of the log outside of it.
    ///
    /// The caller must have made sure that it still holds the compose, as for ``replace()``.
    func giveOtherNames() throws(ComposeFailure) {
        let target = attempt.target.directory
        do {
            let latest = target.appending(attempt.layout.latest)
            // Usually there is no such link. If a link cannot be removed, the next line fails.
            try? FileManager.default.removeItem(atPath: latest.string)
            try FileManager.default.createSymbolicLink(atPath: latest.string, withDestinationPath: attempt.layout.directory)
            // From here on the log belongs to the tree. If its old name stays behind, it is removed with the
            // result.
            try? FileManager.default.removeItem(atPath: target.appending(attempt.layout.pendingLog).string)
        } catch {
            throw ComposeFailure(storage: error)
        }
    }
}
