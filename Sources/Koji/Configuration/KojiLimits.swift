import Retries

/// The limits on the size of a hub's answers, and on the time and the attempts for a call.
public struct KojiLimits: Hashable, Sendable {
    /// The time for making a connection, including the TLS handshake.
    public var connectTimeout: Duration
    /// The longest silence of the hub: before its answer begins, and between two pieces of it. The hub
    /// takes seconds to begin the answer for a large tag.
    public var silence: Duration
    /// The time for a whole answer, counted from the request.
    public var wholeAnswer: Duration
    /// The number of attempts before the hub counts as unreachable. At the default, the pauses between the
    /// attempts add up to 16 to 32 seconds.
    public var attempts: Int
    /// The pause before the second attempt. It doubles with each attempt, and every pause is shortened at
    /// random by up to half.
    public var firstPause: Duration
    /// The longest pause between two attempts.
    public var longestPause: Duration
    /// The most bytes of an answer that is read row by row, with memory for one row.
    public var answerBytes: Int
    /// The most bytes of an answer that is kept as a whole.
    public var smallAnswerBytes: Int
    /// The most bytes of one text in an answer. A module's whole description is one text.
    public var textBytes: Int
    /// The greatest depth of arrays and structs inside each other.
    public var depth: Int
    /// The most calls that are sent together as one multiCall.
    public var callsAtOnce: Int

    public init(
        connectTimeout: Duration = .seconds(10),
        silence: Duration = .seconds(120),
        wholeAnswer: Duration = .seconds(900),
        attempts: Int = 7,
        firstPause: Duration = .milliseconds(500),
        longestPause: Duration = .seconds(20),
        answerBytes: Int = 1 << 30,
        smallAnswerBytes: Int = 64 << 20,
        textBytes: Int = 16 << 20,
        depth: Int = 64,
        callsAtOnce: Int = 200
    ) {
        self.connectTimeout = connectTimeout
        self.silence = silence
        self.wholeAnswer = wholeAnswer
        self.attempts = max(1, attempts)
        self.firstPause = firstPause
        self.longestPause = longestPause
        self.answerBytes = answerBytes
        self.smallAnswerBytes = smallAnswerBytes
        self.textBytes = textBytes
        self.depth = depth
        self.callsAtOnce = max(1, callsAtOnce)
    }

    /// The pauses between two attempts.
    var backoff: Backoff { Backoff(first: firstPause, longest: longestPause) }
}
