import Retries

/// A retry schedule is the number of retries of a call, and the pauses before them.
struct RetrySchedule: Hashable, Sendable {
    var retries: Int
    var backoff: Backoff

    /// For a call that a person waits for. The pauses add up to at most two seconds.
    static let call = RetrySchedule(retries: 3, backoff: Backoff(first: .milliseconds(250), longest: .seconds(2)))
    /// For a compose that the client waits for. The pauses add up to some five minutes, because a restart
    /// of the server, or of a gateway before it, is no reason to give up.
    static let whileWaiting = RetrySchedule(retries: 80, backoff: Backoff(first: .milliseconds(500), longest: .seconds(5)))
    /// For a server that may be starting just now. The pauses add up to at most half a minute.
    static let whileRestarting = RetrySchedule(retries: 9, backoff: Backoff(first: .milliseconds(250), longest: .seconds(5)))

    /// Returns the pause after attempt number `attempt`, or `nil` if no retry is left. The first attempt
    /// has the number 1.
    func pause(after attempt: Int) -> Duration? {
        attempt <= retries ? backoff.pause(after: attempt) : nil
    }
}

extension Backoff {
    /// For the pauses between two looks at a compose.
    static let polling = Backoff(first: .milliseconds(200), longest: .seconds(2), factor: 1.5)
    /// For the pauses between two looks at a watch, which may make no compose for days.
    static let watching = Backoff(first: .milliseconds(500), longest: .seconds(15), factor: 1.5)
}
