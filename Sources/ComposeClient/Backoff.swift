/// How often something is tried again, and how long to pause before: pauses that grow, each shortened at random so that many clients
/// do not move in step.
struct Backoff: Hashable, Sendable {
    var first: Duration
    var factor: Double
    var longest: Duration
    /// How often it is tried again; `nil` for without end.
    var retries: Int?

    /// For a call that a person waits for.
    static let call = Backoff(first: .milliseconds(250), factor: 2, longest: .seconds(2), retries: 3)
    /// For a compose that is being waited for: a restart of the server, or of a gateway before it, is no reason to give up.
    /// Some five minutes.
    static let whileWaiting = Backoff(first: .milliseconds(500), factor: 2, longest: .seconds(5), retries: 80)
    /// For a server that may be starting just now: half a minute at the most.
    static let whileRestarting = Backoff(first: .milliseconds(250), factor: 2, longest: .seconds(5), retries: 9)
    /// Between two looks at a compose.
    static let polling = Backoff(first: .milliseconds(200), factor: 1.5, longest: .seconds(2), retries: nil)
    /// Between two looks at a watch, of which nothing may come for days.
    static let watching = Backoff(first: .milliseconds(500), factor: 1.5, longest: .seconds(15), retries: nil)

    /// The longest pause before retry number `attempt`, counted from zero; `nil` when there is none left.
    func ceiling(_ attempt: Int) -> Duration? {
        if let retries, attempt >= retries { return nil }
        var pause = first
        for _ in 0..<attempt where pause < longest { pause *= factor }
        return min(pause, longest)
    }

    /// Between a half of the ``ceiling(_:)`` and all of it.
    func pause(_ attempt: Int) -> Duration? {
        ceiling(attempt).map { $0 * Double.random(in: 0.5...1) }
    }
}

extension Duration {
    fileprivate static func *= (duration: inout Duration, factor: Double) { duration = duration * factor }
}
