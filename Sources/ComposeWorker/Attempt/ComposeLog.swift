import ForeignText
import Foundation
import Synchronization
import SystemPackage

/// A compose log is the log of one compose, which people watch while it grows. Each event is one line:
/// `2026-11-21T10:00:00Z INFO  what happened`.
///
/// Attempts at the same compose append to the same file, each only while it holds the lease. Therefore
/// the file no longer grows after another worker has published the compose. A line that cannot be
/// written is dropped, because no compose fails for its log.
final class ComposeLog: Sendable {
    enum Level: String {
        case info = "INFO "
        case warning = "WARN "
        case error = "ERROR"
    }

    private let file: Mutex<FileDescriptor>
    private let deadline: LeaseDeadline

    /// Opens the log for appending, and creates it if it does not exist.
    ///
    /// - Parameter deadline: After this deadline nothing is written.
    /// - Throws: `Errno`.
    init(_ path: FilePath, until deadline: LeaseDeadline) throws {
        self.deadline = deadline
        file = Mutex(
            try FileDescriptor.open(
                path, .writeOnly, options: [.append, .create], permissions: [.ownerReadWrite, .groupRead, .otherRead]))
    }

    deinit {
        // Every line is written at once, so nothing is lost if closing fails.
        file.withLock { try? $0.close() }
    }

    /// Appends a line. Line breaks in `text` become spaces, and other invisible characters are made
    /// printable.
    func write(_ level: Level, _ text: String) {
        let line = text.split(separator: "\n").joined(separator: " ").printable()
        let bytes = Array("\(Date.now.formatted(.iso8601)) \(level.rawValue) \(line)\n".utf8)
        file.withLock { file in
            // A line that cannot be written is dropped, as the documentation of the type says.
            if !deadline.isOver { _ = try? file.writeAll(bytes) }
        }
    }
}
