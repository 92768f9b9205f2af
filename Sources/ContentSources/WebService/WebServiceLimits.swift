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

    /// Returns the pause after an attempt. The first attempt has the number 1.
    func pause(after attempt: Int) -> Duration {
        min(longestPause, firstPause * (1 << min(attempt - 1, 16))) * Double.random(in: 0.5...1)
    }
}
