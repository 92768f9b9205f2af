import ComposeModel
import ComposeStore
import Foundation
import SystemPackage

/// Compose documents are the documents at fixed places in the directory of every compose, for every
/// type of source.
///
/// They are the `.repo` file for dnf, the compose's name (`COMPOSE_ID`), its completion (`STATUS`), its
/// inputs (`compose.lock.json`), and its log.
struct ComposeDocuments {
    let attempt: ComposeAttempt
    /// The directory that becomes the compose's directory.
    let directory: FilePath

    init(attempt: ComposeAttempt, directory: FilePath? = nil) {
        self.attempt = attempt
        self.directory = directory ?? attempt.directory
    }

    /// Writes all documents. The directory ``ComposeLayout/repositories`` must exist.
    ///
    /// - Parameters:
    ///   - repoFile: The text of the `.repo` file.
    ///   - lock: The text of `compose.lock.json`.
    func write(repoFile: String, lock: [UInt8]) throws {
        try write(repoFile.utf8, to: attempt.layout.repoFile)
        try write("\(ComposeIdentity(attempt.lease.compose).id)\n".utf8, to: "COMPOSE_ID")
        try write("FINISHED\n".utf8, to: "STATUS")
        try write(lock: lock)
        try linkLog()
    }

    func write(lock: [UInt8]) throws {
        try write(lock, to: ComposeLayout.lockFile)
    }

    /// Returns `lock` as the text of `compose.lock.json`.
    static func text(ofLock lock: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(lock)) + "\n".utf8
    }

    /// Gives the log a second name in the compose's directory. Both names mean the same file, so the log
    /// continues to grow. It is in place when the directory appears.
    func linkLog() throws {
        try FileManager.default.linkItem(
            atPath: attempt.target.directory.appending(attempt.layout.pendingLog).string, toPath: try freed(ComposeLayout.log))
    }

    private func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
        try FilePath(try freed(path)).create(bytes)
    }

    /// Returns the path of a file after it has removed any existing file there. Pungi may have left a file
    /// of that name, or a symbolic link, which must not be followed.
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
