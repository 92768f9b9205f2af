/// A backoff is the number of retries of an operation, and the pauses before them. The pauses grow.
/// Each is shortened at random, so that many clients do not move in step.
struct Backoff: Hashable, Sendable {
    var first: Duration
    var factor: Double
    var longest: Duration
    /// The number of retries. `nil` means no limit.
    var retries: Int?

    /// For a call that a person waits for. The pauses add up to at most two seconds.
    static let call = Backoff(first: .milliseconds(250), factor: 2, longest: .seconds(2), retries: 3)
    /// For a compose that the client waits for. The pauses add up to some five minutes, because a restart
    /// of the server, or of a gateway before it, is no reason to give up.
    static let whileWaiting = Backoff(first: .milliseconds(500), factor: 2, longest: .seconds(5), retries: 80)
    /// For a server that may be starting just now. The pauses add up to at most half a minute.
    static let whileRestarting = Backoff(first: .milliseconds(250), factor: 2, longest: .seconds(5), retries: 9)
    /// For the pauses between two looks at a compose.
    static let polling = Backoff(first: .milliseconds(200), factor: 1.5, longest: .seconds(2), retries: nil)
    /// For the pauses between two looks at a watch, which may make no compose for days.
    static let watching = Backoff(first: .milliseconds(500), factor: 1.5, longest: .seconds(15), retries: nil)

    /// Returns the longest pause before retry number `attempt`, counted from zero. Returns `nil` if no
    /// retry is left.
    func ceiling(_ attempt: Int) -> Duration? {
        if let retries, attempt >= retries { return nil }
        var pause = first
        for _ in 0..<attempt where pause < longest { pause *= factor }
        return min(pause, longest)
    }

    /// Returns a random pause between half of the ``ceiling(_:)`` and all of it, or `nil` if no retry is
    /// left.
    func pause(_ attempt: Int) -> Duration? {
        ceiling(attempt).map { $0 * Double.random(in: 0.5...1) }
    }
}

extension Duration {
    fileprivate static func *= (duration: inout Duration, factor: Double) { duration = duration * factor }
}
