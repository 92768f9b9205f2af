import Retries

/// The limits on the size and time of one answer of a web service, and on repeated requests.
public struct WebServiceLimits: Hashable, Sendable {
    /// The time for one answer, from the connection to its last byte.
    public var answerTime: Duration = .seconds(60)
    /// The maximum size of one answer in bytes.
    public var answerBytes: Int = 64 << 20
    /// The number of attempts for one question, before the service counts as unreachable.
    public var attempts: Int = 4
    /// The pause before the second attempt. It doubles for each further attempt, and every pause is
    /// shortened at random by up to half.
    public var firstPause: Duration = .milliseconds(500)
    /// The longest pause between two attempts.
    public var longestPause: Duration = .seconds(10)

    public init() {}

    /// The pauses between two attempts.
    var backoff: Backoff { Backoff(first: firstPause, longest: longestPause) }
}
