import ComposeModel
import Dispatch
import Foundation
import Glibc
import ImageTestKit
import SystemPackage

/// A *gate* keeps a RUN of a build waiting until a test lets it go on. It is a named pipe among the
/// packages of a compose, which every RUN sees.
struct BuildGate: Sendable {
    private let path: FilePath
    /// The path that a RUN sees.
    private let target: String

    init(in compose: FinishedCompose) throws {
        path = compose.repository("gate")
        target = "/run/\(compose.layout.directory)/gate"
        guard mkfifo(path.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
        chmod(path.string, 0o644)
    }

    /// Returns an instruction that waits at the gate. Its process has the mark.
    func instruction(_ mark: ProcessMark) -> String { "RUN sh -c 'read -r word <$1; echo $word' \(mark.duration) \(target)" }

    /// Waits until a RUN is at the gate. It stays there until the result is opened, or closed by its end.
    func awaitRun() async throws -> Waiting {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                // The kernel opens the pipe for writing as soon as a process reads from it.
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result { Waiting(pipe: try FileDescriptor.open(path, .writeOnly, options: [.closeOnExec])) })
                }
            }
        } onCancel: {
            // A reader lets the thread go on. It stays until the process ends.
            _ = open(path.string, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        }
    }

    /// A RUN that waits at the gate.
    struct Waiting: Sendable {
        fileprivate let pipe: FileDescriptor

        /// Lets the RUN go on.
        func open() throws { try pipe.closeAfter { _ = try pipe.writeAll("opened\n".utf8) } }

        /// Gives up a RUN that was killed.
        func close() throws { try pipe.close() }
    }
}
