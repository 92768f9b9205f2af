/// How much of a hub's answers is read, and how patiently.
public struct KojiLimits: Hashable, Sendable {
    /// For making a connection, the TLS handshake included.
    public var connectTimeout: Duration
    /// For the hub's silence: until its answer begins, which for a large tag takes it seconds, and between two pieces of it.
    public var silence: Duration
    /// For all of an answer, from the request on.
    public var wholeAnswer: Duration
    /// How often a call is made before the hub counts as not reachable: by default so often that one that is down for a minute is waited for.
    public var attempts: Int
    /// The pause before the second attempt; it doubles each time, and every pause is shortened at random by up to half.
    public var firstPause: Duration
    /// The longest pause between two attempts.
    public var longestPause: Duration
    /// Bytes of an answer that is read row by row, with memory for one row.
    public var answerBytes: Int
    /// Bytes of an answer that is kept as a whole.
    public var smallAnswerBytes: Int
    /// Bytes of one text in an answer: a module's whole description is one.
    public var textBytes: Int
    /// Arrays and structs inside of each other.
    public var depth: Int
    /// Calls that are sent together as one multiCall.
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

    /// The pause after attempt number `attempt`, the first being 1.
    func pause(after attempt: Int) -> Duration {
        let full = min(longestPause, firstPause * (1 << min(attempt - 1, 16)))
        return full * Double.random(in: 0.5...1)
    }
}
