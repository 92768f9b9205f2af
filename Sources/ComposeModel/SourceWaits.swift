import Synchronization

/// Source waits are what one attempt at a compose waits for from other machines, and whether anything comes from there.
///
/// Readers of sources say when they wait and how much comes. A worker looks at it when it needs a slot for another compose. For example, a mirror
/// that takes connections and never answers is an open wait without progress.
public final class SourceWaits: Sendable {
    /// The waits of the attempt that the current task works for; `nil` in what belongs to no attempt.
    @TaskLocal public static var current: SourceWaits?

    /// An attempt makes progress when an answer begins, or when so many bytes have come: slower than 6 kB in a second is no
    /// progress.
    private static let bytesOfProgress = 64 << 10

    private struct State {
        /// Requests under way, by the origin that they wait for.
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

    /// Runs `body`, which asks `origin` for something, as often as it takes.
    public static func waiting<Result, Failure: Error>(
        for origin: String, _ body: () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        guard let waits = current else { return try await body() }
        waits.begin(origin)
        defer { waits.end(origin) }
        return try await body()
    }

    /// Says that an answer begins, or is complete.
    public static func answered() { current?.state.withLock { $0.noteProgress() } }

    /// Says that bytes of an answer came.
    public static func received(_ bytes: Int) {
        current?.state.withLock { state in
            state.received += bytes
            if state.received >= bytesOfProgress { state.noteProgress() }
        }
    }

    /// The origin that is waited for without progress since `time` or longer; `nil` while there is progress, or nothing is waited for.
    public func silentOrigin(since time: ContinuousClock.Instant) -> String? {
        state.withLock { $0.progress <= time ? $0.open.keys.min() : nil }
    }

    /// All origins that are waited for, whether they answer or not.
    public var origins: Set<String> { state.withLock { Set($0.open.keys) } }

    private func begin(_ origin: String) {
        state.withLock { state in
            // What was done before was work of this host.
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
