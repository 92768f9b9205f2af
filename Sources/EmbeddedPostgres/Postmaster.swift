import Foundation
import Glibc
import SystemPackage

/// The running server process of a cluster, as `postmaster.pid` describes it.
struct Postmaster: Sendable {
    let pid: Int32
    let socketDirectory: FilePath
    /// Whether the server accepts connections.
    let isReady: Bool
    /// Whether this process sees the server's process, so that it can stop it. It does not see a server of
    /// another container, or of a systemd unit with `PrivateUsers=`.
    let isSeen: Bool

    /// Reads the PID file in `data`. Returns nil when no server runs on this data. A file left by a dead
    /// server does not count, even if another process has its number now.
    init?(data: FilePath) {
        guard let text = FileManager.default.contents(atPath: data.appending("postmaster.pid").string) else { return nil }
        // The lines are: the process, the data, the start time, the port, the socket's directory, the address,
        // the shared memory, the status.
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, let pid = Int32(first), pid > 0 else { return nil }
        self.pid = pid
        socketDirectory = FilePath(lines.count > 4 ? String(lines[4]) : "")
        isReady = lines.count > 7 && lines[7].trimmingCharacters(in: .whitespaces) == "ready"
        isSeen = Self.works(pid, in: data)
        guard isSeen || Self.listens(in: socketDirectory) else { return nil }
    }

    /// Whether a process has `data` as its working directory, as a server has from its first moment.
    private static func works(_ pid: Int32, in data: FilePath) -> Bool {
        let working = URL(filePath: "/proc/\(pid)/cwd").resolvingSymlinksInPath().path
        return working == URL(filePath: data.string).resolvingSymlinksInPath().path
    }

    /// Whether a server listens at the socket in a directory. A dead server may have left the socket.
    private static func listens(in directory: FilePath) -> Bool {
        var address = sockaddr_un()
        let path = directory.appending(".s.PGSQL.\(Cluster.port)").string.utf8
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // A server that stands still has a full queue, and would hold up a socket that blocks.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let connection = socket(AF_UNIX, type, 0)
        guard connection >= 0 else { return false }
        defer { close(connection) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(connection, $0, length) }
        }
        return status == 0 || errno == EAGAIN
    }
}
