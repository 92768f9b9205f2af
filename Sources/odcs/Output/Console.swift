import Foundation
import SystemPackage
import UnixSignals

/// A console is the surroundings of a command: environment variables, current directory, streams,
/// clock, and Ctrl-C.
struct Console: Sendable {
    /// A stream of text, for people or for programs.
    struct Stream: Sendable {
        /// Whether the stream is a terminal, on which a line can be redrawn.
        let isTerminal: Bool
        /// The terminal's width in columns. It changes with the window.
        let columns: @Sendable () -> Int
        let write: @Sendable (String) throws -> Void

        func line(_ text: String) throws {
            try write(text + "\n")
        }
    }

    var environment: [String: String]
    /// The directory that relative paths are relative to.
    var directory: String
    var input: Input
    var out: Stream
    var err: Stream
    var clock: any Clock<Duration>
    /// Starts to catch Ctrl-C, which until then ends the process. Each element of the sequence stands for
    /// one Ctrl-C.
    var interruptions: @Sendable () async -> any AsyncSequence<Void, Never> & Sendable

    /// The console of the running command.
    @TaskLocal static var current = Console.process

    /// The console of this process.
    static let process = Console(
        environment: ProcessInfo.processInfo.environment,
        directory: FileManager.default.currentDirectoryPath,
        input: .process, out: Stream(.standardOutput), err: Stream(.standardError),
        clock: ContinuousClock(),
        interruptions: {
            await UnixSignalsSequence(trapping: .sigint).map { _ in }
        })

    /// Returns a path that a user gave. A relative one is below ``directory``.
    func path(_ text: String) -> FilePath { FilePath(directory).pushing(FilePath(text)).lexicallyNormalized() }

    /// Runs `body` until Ctrl-C. Returns its result, or `nil` if Ctrl-C came first. `body` is canceled
    /// then.
    func unlessInterrupted<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value? {
        let interruptions = await interruptions()
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in interruptions { return nil }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

extension Console.Stream {
    /// Creates a stream of this process.
    init(_ descriptor: FileDescriptor) {
        self.init(
            isTerminal: isatty(descriptor.rawValue) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb",
            columns: {
                var size = winsize()
                guard ioctl(descriptor.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
                return Int(size.ws_col)
            },
            write: { text in _ = try descriptor.writeAll(Array(text.utf8)) })
    }
}
