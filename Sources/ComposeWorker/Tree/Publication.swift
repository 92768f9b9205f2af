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
    /// A directory that is there already was left by an attempt that moved it and was never recorded as done; it is put aside.
    func publish() throws(ComposeFailure) {
        let target = attempt.target.directory
        let final = target.appending(attempt.layout.directory)
        do {
            do {
                try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
            } catch CocoaError.fileWriteFileExists {
                let aside = target.appending(attempt.layout.attempt(UUID().uuidString.lowercased()))
                try FileManager.default.moveItem(atPath: final.string, toPath: aside.string)
                try FileManager.default.moveItem(atPath: directory.string, toPath: final.string)
                try FileManager.default.removeItem(atPath: aside.string)
            }
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
