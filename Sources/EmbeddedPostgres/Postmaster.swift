import Foundation
import SystemPackage

/// The running server process of a cluster, as `postmaster.pid` describes it.
struct Postmaster: Sendable {
    let pid: Int32
    let socketDirectory: FilePath
    /// Whether the server accepts connections.
    let isReady: Bool

    /// Reads the PID file in `data`. Returns nil when no server runs on this data. A file left by a dead
    /// server does not count, even if another process has its number now.
    init?(data: FilePath) {
        guard let text = FileManager.default.contents(atPath: data.appending("postmaster.pid").string) else { return nil }
        // The lines are: the process, the data, the start time, the port, the socket's directory, the address,
        // the shared memory, the status.
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = Int32(first), pid > 0 else { return nil }
        // The working directory of a server is its data directory.
        let working = URL(filePath: "/proc/\(pid)/cwd").resolvingSymlinksInPath().path
        guard working == URL(filePath: data.string).resolvingSymlinksInPath().path else { return nil }
        self.pid = pid
        socketDirectory = FilePath(lines.count > 4 ? String(lines[4]) : "")
        isReady = lines.count > 7 && lines[7].trimmingCharacters(in: .whitespaces) == "ready"
    }
}
