import Synchronization

/// A record of the answers that one attempt at a compose waits for from other machines, and of their
/// progress.
///
/// Readers of sources report when they wait and how many bytes arrive. A worker checks the record when
/// it needs a slot for another compose. For example, a mirror that accepts connections and never
/// answers is an open wait without progress.
public final class SourceWaits: Sendable {
    /// The waits of the attempt that the current task works for. `nil` if the task belongs to no attempt.
    @TaskLocal public static var current: SourceWaits?

    /// The number of received bytes that count as progress. The beginning of an answer counts as well.
    /// Slower than 6 kB per second is no progress.
    private static let bytesOfProgress = 64 << 10

    private struct State {
        /// The number of open requests by the origin that they wait for. Example of an origin:
        /// `https://mirror.example.org`.
        var open: [String: Int] = [:]
        var progress = ContinuousClock.now
        var received = 0

        mutating func noteProgress() {
            progress = .now
            received = 0
        }
    }

    private let state = Mutex(State())

    public init() {}

    /// Runs `body`, which sends one or more requests to `origin`, and records the wait.
    public static func waiting<Result, Failure: Error>(
        for origin: String, _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        guard let waits = current else { return try await body() }
        waits.begin(origin)
        defer { waits.end(origin) }
        return try await body()
    }

    /// Records that an answer begins or is complete.
    public static func answered() { current?.state.withLock { $0.noteProgress() } }

    /// Records that bytes of an answer arrived.
    public static func received(_ bytes: Int) {
        current?.state.withLock { state in
            state.received += bytes
            if state.received >= bytesOfProgress { state.noteProgress() }
        }
    }

    /// Returns an origin that the attempt waits for, if there has been no progress since `time`. Returns
    /// `nil` if there was progress, or if the attempt waits for no origin.
    public func silentOrigin(since time: ContinuousClock.Instant) -> String? {
        state.withLock { $0.progress <= time ? $0.open.keys.min() : nil }
    }

    /// All origins that the attempt waits for, with or without progress.
    public var origins: Set<String> { state.withLock { Set($0.open.keys) } }

    private func begin(_ origin: String) {
        state.withLock { state in
            // The time before this wait was spent on work of this host, not on waiting.
            if state.open.isEmpty { state.noteProgress() }
            state.open[origin, default: 0] += 1
        }
    }

    private func end(_ origin: String) {
        state.withLock { state in
            let rest = (state.open[origin] ?? 1) - 1
            state.open[origin] = rest > 0 ? rest : nil
        }
    }
}
