import ComposeWorker
import ForeignText
import Foundation
import Glibc
import Synchronization
import SystemPackage

/// A *step log* is the log of one platform of a build, which people watch while it grows. It has the
/// lines of the builder, and notes of this service, which begin with `odcs: `.
///
/// Attempts at the same step append to the same file, each only while it holds the lease. A line that
/// cannot be written is dropped, because no build fails for its log.
final class StepLog: Sendable {
    private struct State {
        let file: FileDescriptor
        /// The bytes that may still be written.
        var rest: Int
    }

    private let state: Mutex<State>
    private let deadline: LeaseDeadline

    /// Opens the log for appending. Creates it and its directory if they do not exist.
    ///
    /// - Parameters:
    ///   - limit: The maximum size of the file in bytes.
    ///   - deadline: After this deadline nothing is written.
    init(_ path: FilePath, limit: Int, until deadline: LeaseDeadline) throws {
        self.deadline = deadline
        try FileManager.default.createDirectory(atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.append, .create, .noFollow], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        state = Mutex(State(file: file, rest: max(0, limit - Int(try file.seek(offset: 0, from: .end)))))
    }

    deinit {
        // Every line is written at once, so nothing is lost if closing fails.
        state.withLock { try? $0.file.close() }
    }

    /// Appends a note of this service.
    func note(_ text: String) { write("odcs: \(text.split(separator: "\n").joined(separator: " "))") }

    /// Appends a line. Invisible characters are made printable.
    func write(_ line: String) {
        let bytes = Array("\(line.printable())\n".utf8)
        state.withLock { state in
            guard !deadline.isOver, state.rest > 0 else { return }
            state.rest -= bytes.count
            let isLast = state.rest <= 0
            // No build fails for its log, for example on a full disk.
            _ = try? state.file.writeAll(isLast ? Array("odcs: The log is too long. The rest is left out.\n".utf8) : bytes)
        }
    }
}
