import CLinux
import Dispatch
import Foundation
import Glibc

/// A number that only the processes of one test have as an argument. Example: `sleep 1234567890`.
public struct ProcessMark: Sendable {
    public let duration: String

    public init(duration: String = "1\(UInt32.random(in: 100_000_000...999_999_999))") { self.duration = duration }

    /// An instruction that prints a line and then runs on.
    public var instruction: String { "RUN echo running \(duration); sleep \(duration)" }

    /// Returns whether a line of a build's log is the one that ``instruction`` prints.
    public func isSign(_ line: String) -> Bool { line.hasSuffix("running \(duration)") && !line.contains("echo") }

    /// Whether no process has the mark.
    public var isGone: Bool { get throws { try processes().isEmpty } }

    /// Waits for the end of each process that has the mark. The kernel reports it.
    ///
    /// - Returns: Whether no process has the mark now.
    public func awaitEnd() async throws -> Bool {
        for process in try processes() {
            let descriptor = pidfd_open(process, 0)
            // A process that cannot be opened has ended.
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                // The code that other tests run at the same time needs the few threads of NIO's pool.
                DispatchQueue.global().async {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    _ = Glibc.poll(&poll, 1, 60_000)
                    continuation.resume()
                }
            }
        }
        return try isGone
    }

    private func processes() throws -> [pid_t] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            return line.split(separator: 0).contains { $0.elementsEqual(duration.utf8) }
        }
    }
}
