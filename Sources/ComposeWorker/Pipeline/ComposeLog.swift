import ForeignText
import Foundation
import Synchronization
import SystemPackage

/// The log of one compose that people watch while it grows: one line an event, `2026-11-21T10:00:00Z INFO  what happened`.
///
/// Attempts at the same compose append to the same file, and each only while it holds the lease: the file of a compose that another worker
/// has published does not grow. A line that cannot be written is given up: no compose fails for its log.
final class ComposeLog: Sendable {
    enum Level: String {
        case info = "INFO "
        case warning = "WARN "
        case error = "ERROR"
    }

    private let file: Mutex<FileDescriptor>
    private let deadline: LeaseDeadline

    /// Opens the log for appending, and makes it where it is not there yet.
    ///
    /// - Parameter deadline: after which nothing is written.
    /// - Throws: `Errno`.
    init(_ path: FilePath, until deadline: LeaseDeadline) throws {
        self.deadline = deadline
        file = Mutex(
            try FileDescriptor.open(
                path, .writeOnly, options: [.append, .create], permissions: [.ownerReadWrite, .groupRead, .otherRead]))
    }

    deinit {
        // Every line was written when it was handed over: nothing is lost when closing fails.
        file.withLock { try? $0.close() }
    }

    /// Appends a line; the line breaks of `text` become spaces, and what else could not be seen is made printable.
    func write(_ level: Level, _ text: String) {
        let line = text.split(separator: "\n").joined(separator: " ").printable()
        let bytes = Array("\(Date.now.formatted(.iso8601)) \(level.rawValue) \(line)\n".utf8)
        file.withLock { file in
            // A line that cannot be written is given up, as the type says.
            if !deadline.isOver { _ = try? file.writeAll(bytes) }
        }
    }
}
