import ComposeModel
import ComposeStore
import Foundation
import SystemPackage

/// The documents at fixed places in the directory of every compose, whatever it is made of: how dnf uses it, what it is called, that it is
/// finished, what it was made from, and its log.
struct ComposeDocuments {
    let attempt: ComposeAttempt
    /// What is to become the compose's directory.
    let directory: FilePath

    init(attempt: ComposeAttempt, directory: FilePath? = nil) {
        self.attempt = attempt
        self.directory = directory ?? attempt.directory
    }

    /// Writes all of them; ``ComposeLayout/repositories`` has to be there.
    /// - Parameters:
    ///   - repoFile: the text of the `.repo` file.
    ///   - lock: what `compose.lock.json` holds.
    func write(repoFile: String, lock: some Encodable) throws {
        try write(Data(repoFile.utf8), to: attempt.layout.repoFile)
        try write(Data("\(ComposeIdentity(attempt.lease.compose).id)\n".utf8), to: "COMPOSE_ID")
        try write(Data("FINISHED\n".utf8), to: "STATUS")
        try write(lock: lock)
        try linkLog()
    }

    func write(lock: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try write(try encoder.encode(lock) + Data("\n".utf8), to: "compose.lock.json")
    }

    /// The same file under a second name: it goes on growing, and is in place when the directory appears.
    func linkLog() throws {
        let link = directory.appending(ComposeLayout.log).string
        do {
            try FileManager.default.removeItem(atPath: link)
        } catch CocoaError.fileNoSuchFile {
            // Only Pungi may have left one.
        }
        try FileManager.default.linkItem(
            atPath: attempt.target.directory.appending(attempt.layout.pendingLog).string, toPath: link)
    }

    private func write(_ bytes: Data, to path: String) throws {
        try bytes.write(to: URL(filePath: directory.appending(path).string))
    }
}
