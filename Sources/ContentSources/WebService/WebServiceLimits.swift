/// How much one answer of a web service may be, and how patiently it is asked.
public struct WebServiceLimits: Hashable, Sendable {
    /// For one answer, from the connection to its last byte.
    public var answerTime: Duration = .seconds(60)
    /// Bytes of one answer.
    public var answerBytes: Int = 64 << 20
    /// How often the same question is asked before the service counts as not reachable.
    public var attempts: Int = 4
    /// The pause before the second attempt; it doubles each time, and every pause is shortened at random by up to half.
    public var firstPause: Duration = .milliseconds(500)
    /// The longest pause between two attempts.
    public var longestPause: Duration = .seconds(10)

    public init() {}

    /// The pause after attempt number `attempt`, the first being 1.
    func pause(after attempt: Int) -> Duration {
        min(longestPause, firstPause * (1 << min(attempt - 1, 16))) * Double.random(in: 0.5...1)
    }
}
