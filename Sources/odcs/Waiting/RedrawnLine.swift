/// A *redrawn line* is the last line of a terminal, which shows the progress of a command that waits.
struct RedrawnLine: Sendable {
    let console: Console
    /// Whether the line is shown. Programs and files get plain lines instead.
    let isShown: Bool
    /// The time since the command began to wait.
    let elapsed: @Sendable () -> Duration

    init(_ console: Console, isWanted: Bool) {
        self.console = console
        isShown = console.err.isTerminal && isWanted
        elapsed = Self.stopwatch(console.clock)
    }

    func show(_ text: String) throws {
        if isShown { try console.err.write("\r\(text)\u{1B}[K") }
    }

    func clear() throws {
        if isShown { try console.err.write("\r\u{1B}[K") }
    }

    /// Runs `body`, and then removes the line from the terminal.
    func clearing<R>(after body: () async throws -> R) async throws -> R {
        let result: R
        do {
            result = try await body()
        } catch {
            try clear()
            throw error
        }
        try clear()
        return result
    }

    private static func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
