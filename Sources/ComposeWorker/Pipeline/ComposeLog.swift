import Foundation
import Synchronization
import SystemPackage

/// The log of one compose that people watch while it grows: one line an event, `2026-11-21T10:00:00Z INFO  what happened`.
///
/// Attempts at the same compose append to the same file. A line that cannot be written is given up: no compose fails for its log.
final class ComposeLog: Sendable {
    enum Level: String {
        case info = "INFO "
        case warning = "WARN "
        case error = "ERROR"
    }

    private let file: Mutex<FileDescriptor>

    /// Opens the log for appending, and makes it where it is not there yet.
    ///
    /// - Throws: `Errno`.
    init(_ path: FilePath) throws {
        file = Mutex(
            try FileDescriptor.open(
                path, .writeOnly, options: [.append, .create], permissions: [.ownerReadWrite, .groupRead, .otherRead]))
    }

    deinit {
        // Every line was written when it was handed over: nothing is lost when closing fails.
        file.withLock { try? $0.close() }
    }

    /// Appends a line; the line breaks of `text` become spaces.
    func write(_ level: Level, _ text: String) {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        let bytes = Array("\(Date.now.formatted(.iso8601)) \(level.rawValue) \(line)\n".utf8)
        file.withLock { file in
            _ = try? file.writeAll(bytes)
        }
    }
}
