import CLinux
import Foundation
import Glibc
import Synchronization
import SystemPackage

/// A handler that stops servers when the process exits normally.
enum ExitHandler {
    private struct Entry {
        let cluster: Cluster
        /// The lock, which is kept until the exit, even when the ``EmbeddedPostgres`` is gone.
        let ownership: FileLock
        /// The paths to delete: the cluster's directory, and the link to it if there is one.
        let removed: Set<FilePath>
    }

    private static let entries = Mutex<[Entry]>([])

    static func add(_ cluster: Cluster, _ ownership: FileLock, removing removed: Set<FilePath>) {
        let isFirst = entries.withLock { entries in
            entries.append(Entry(cluster: cluster, ownership: ownership, removed: removed))
            return entries.count == 1
        }
        if isFirst { atexit { ExitHandler.endAll() } }
    }

    private static func endAll() {
        for entry in entries.withLock(\.self) {
            if let postmaster = entry.cluster.postmaster() {
                end(postmaster)
                SocketDirectory.discard(postmaster.socketDirectory, of: entry.cluster)
            }
            for path in entry.removed {
                do {
                    try FileManager.default.removeItem(atPath: path.string)
                } catch {
                    FileHandle.standardError.write(Data("\(path) could not be removed: \(error.localizedDescription)\n".utf8))
                }
            }
        }
    }

    /// Stops the server with PostgreSQL's immediate shutdown, and waits for its end for 10 seconds at most.
    private static func end(_ postmaster: Postmaster) {
        let process = pidfd_open(postmaster.pid, 0)
        guard process >= 0 else { return }
        kill(postmaster.pid, SIGQUIT)
        var ended = pollfd(fd: process, events: Int16(POLLIN), revents: 0)
        poll(&ended, 1, 10_000)
        close(process)
    }
}
