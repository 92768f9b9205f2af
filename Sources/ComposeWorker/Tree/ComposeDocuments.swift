import ComposeModel
import Foundation

/// The documents at fixed places that every compose has, whatever it is made of: how dnf uses it, what it is called, that it is finished,
/// what it was made from, and its log.
struct ComposeDocuments {
    let attempt: ComposeAttempt

    /// Writes them into the attempt's directory, where ``ComposeLayout/repositories`` has to be.
    /// - Parameters:
    ///   - repoFile: the text of the `.repo` file.
    ///   - lock: what `compose.lock.json` holds.
    func write(repoFile: String, lock: some Encodable) throws {
        try write(Data(repoFile.utf8), to: attempt.layout.repoFile)
        try write(Data("\(ComposeIdentity(attempt.lease.compose).id)\n".utf8), to: "COMPOSE_ID")
        try write(Data("FINISHED\n".utf8), to: "STATUS")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try write(try encoder.encode(lock) + Data("\n".utf8), to: "compose.lock.json")
        // The same file under a second name: it goes on growing, and is in place when the directory appears.
        try FileManager.default.linkItem(
            atPath: attempt.target.directory.appending(attempt.layout.pendingLog).string,
            toPath: attempt.directory.appending(ComposeLayout.log).string)
    }

    private func write(_ bytes: Data, to path: String) throws {
        try bytes.write(to: URL(filePath: attempt.directory.appending(path).string))
    }
}
