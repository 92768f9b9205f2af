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
    ///   - lock: the text of `compose.lock.json`.
    func write(repoFile: String, lock: [UInt8]) throws {
        try write(repoFile.utf8, to: attempt.layout.repoFile)
        try write("\(ComposeIdentity(attempt.lease.compose).id)\n".utf8, to: "COMPOSE_ID")
        try write("FINISHED\n".utf8, to: "STATUS")
        try write(lock: lock)
        try linkLog()
    }

    func write(lock: [UInt8]) throws {
        try write(lock, to: "compose.lock.json")
    }

    /// `lock` as the text of `compose.lock.json`.
    static func text(ofLock lock: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(lock)) + "\n".utf8
    }

    /// The same file under a second name: it goes on growing, and is in place when the directory appears.
    func linkLog() throws {
        try FileManager.default.linkItem(
            atPath: attempt.target.directory.appending(attempt.layout.pendingLog).string, toPath: try freed(ComposeLayout.log))
    }

    private func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        try FilePath(try freed(path)).create(bytes)
    }

    /// The path of a file that is not there any more: Pungi may have left one of that name, or a symbolic link, which must not be followed.
    private func freed(_ path: String) throws -> String {
        let file = directory.appending(path).string
        do {
            try FileManager.default.removeItem(atPath: file)
        } catch CocoaError.fileNoSuchFile {
            return file
        }
        return file
    }
}
