/// The limits for talking to a registry: sizes, numbers, times and attempts.
public struct RegistryLimits: Hashable, Sendable {
    /// The most bytes of a page of a list, or of the answer of a token service.
    public var pageBytes = 4 << 20
    /// The most pages of one list.
    public var pages = 1000
    /// The most tags of one repository.
    public var tags = 100_000
    /// The most bytes that are uploaded in one request. Longer blobs are uploaded in chunks, each of which
    /// can be repeated.
    public var chunkBytes = 64 << 20
    /// The maximum time to establish a connection.
    public var connectTime = Duration.seconds(10)
    /// The maximum silence of a registry, until it answers and between two pieces of an answer.
    public var silence = Duration.seconds(60)
    /// The maximum time of a whole answer that is not a blob.
    public var answerTime = Duration.seconds(120)
    /// The minimum average rate of a blob in bytes per second, after ``answerTime``.
    public var minimumRate = 1000
    /// The number of times that a request is made.
    public var attempts = 5
    /// The pause before the second attempt. Each later pause is twice as long, up to ``longestPause``.
    public var firstPause = Duration.milliseconds(500)
    /// The longest pause. A registry that asks for a longer one counts as unreachable.
    public var longestPause = Duration.seconds(60)

    public init() {}

    /// Returns whether a blob arrives so slowly that its registry is given up.
    func isTooSlow(received: Int, in time: Duration) -> Bool {
        time > answerTime && Double(received) < Double(minimumRate) * (time / .seconds(1))
    }
}
