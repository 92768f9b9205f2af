import Foundation
import SystemPackage
import UnixSignals

/// What a command finds around it: the environment, where it stands, its streams, the clock, and the person at the keyboard.
struct Console: Sendable {
    /// A stream of text for people or programs.
    struct Stream: Sendable {
        /// Whether a line can be redrawn there.
        let isTerminal: Bool
        /// The terminal's width; it changes with the window.
        let columns: @Sendable () -> Int
        let write: @Sendable (String) throws -> Void

        func line(_ text: String) throws {
            try write(text + "\n")
        }
    }

    var environment: [String: String]
    /// What relative paths are relative to.
    var directory: String
    var out: Stream
    var err: Stream
    var clock: any Clock<Duration>
    /// Begins to catch Ctrl-C, which until then ends the process; each element is one.
    var interruptions: @Sendable () async -> any AsyncSequence<Void, Never> & Sendable

    /// The one that the running command has.
    @TaskLocal static var current = Console.process

    /// The process's own.
    static let process = Console(
        environment: ProcessInfo.processInfo.environment,
        directory: FileManager.default.currentDirectoryPath,
        out: Stream(.standardOutput), err: Stream(.standardError),
        clock: ContinuousClock(),
        interruptions: {
            await UnixSignalsSequence(trapping: .sigint).map { _ in }
        })

    /// What `body` returns; `nil` where Ctrl-C came first, and `body` is cancelled.
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
    /// A stream of this process.
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
