import Processes
import Synchronization

/// A *build transcript* receives the output of a node's program. It passes the lines on, and keeps what
/// an explanation needs.
final class BuildTranscript: Sendable {
    /// Yields once as soon as more bytes were printed than the limit allows.
    let overflow: AsyncStream<Void>
    private let overflowing: AsyncStream<Void>.Continuation
    private let limit: Int
    private let bytes = Mutex(0)
    private let reader = Reader()
    private let output: OutputTail

    /// - Parameter log: Receives each line.
    init(limit: Int = .max, log: @escaping @Sendable (String) -> Void = { _ in }) {
        self.limit = limit
        (overflow, overflowing) = AsyncStream.makeStream()
        output = OutputTail(limit: limit) { [reader] line in
            reader.read(line)
            log(line)
        }
    }

    func append(_ buffer: [UInt8]) {
        output.append(buffer)
        let isOver = bytes.withLock { bytes in
            bytes = bytes.addingReportingOverflow(buffer.count).partialValue
            return bytes > limit
        }
        if isOver { overflowing.yield() }
    }

    func finish() { output.finish() }

    /// The last step that began.
    var step: ContainerfileStep? { reader.state.withLock(\.step) }
    /// The last error that buildah itself has reported.
    var error: String? { reader.state.withLock(\.error) }
    func lastLines(_ count: Int = 40) -> [String] { output.lastLines(count) }
    /// The last lines of the program, without those of the builder and of its runtime.
    var ownLastLines: [String] {
        lastLines().filter { line in !Self.builderLines.contains(where: line.hasPrefix) && !Self.isRuntimeWarning(line) }
    }

    /// The beginnings of lines of buildah, and of docker.
    private static let builderLines = [
        "Error: building at STEP", "Error: The command '", "Removing intermediate container ", " ---> ",
    ]

    /// Whether a line is a warning of runc that it prints after each program if it has no cgroup, as on a
    /// node whose podman belongs to a plain user. The program itself may print other warnings of this form.
    private static func isRuntimeWarning(_ line: String) -> Bool {
        line.hasPrefix("time=\"") && runtimeWarnings.contains { line.hasSuffix(" level=warning msg=\"\($0)\"") }
    }

    private static let runtimeWarnings = [
        "cannot toggle freezer: cgroups not configured for container", "lstat : no such file or directory",
    ]

    private final class Reader: Sendable {
        let state = Mutex((step: ContainerfileStep?.none, error: String?.none))

        func read(_ line: String) {
            let step = ContainerfileStep(line: line)
            let error = line.hasPrefix("Error: ") ? String(line.dropFirst("Error: ".count)) : nil
            guard step != nil || error != nil else { return }
            state.withLock { state in
                state.step = step ?? state.step
                state.error = error ?? state.error
            }
        }
    }
}
