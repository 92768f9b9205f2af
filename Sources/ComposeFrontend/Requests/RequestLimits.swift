public import ComposeModel

/// The limits of a request, and the values of members that it leaves out.
public struct RequestLimits: Sendable {
    public var defaultArches: [String]
    /// The time to live of a request that sets none, in seconds from the end of the compose.
    public var defaultSecondsToLive: Int
    /// The maximum time to live, in seconds. A longer one is reduced to it.
    public var maximumSecondsToLive: Int
    /// The signing keys of a request that names none.
    public var defaultSigkeys: [String]
    public var allowedFlags: ComposeFlags
    public var allowedResults: ComposeResults
    /// The architectures that a request may name. Empty means any.
    public var allowedArches: [String]
    /// The time, in seconds, in which a second equal POST of the same identified client returns the compose
    /// of the first one. It returns a new compose if the first one failed or was removed. `nil` means that
    /// equal requests make separate composes, unless they have the same key.
    public var repeatWindow: Int?
    /// The maximum time that a compose waits for signatures, in seconds. It is also the default of a
    /// request that waits without naming a time.
    public var unsignedWaitSeconds: Int
    /// The maximum number of packages in a request.
    public var maximumPackages: Int
    /// The maximum number of entries in every other list.
    public var maximumListLength: Int
    /// The maximum length of one word, in characters.
    public var maximumWordLength: Int

    public init(
        defaultArches: [String] = ["x86_64"], defaultSecondsToLive: Int = 24 * 3600, maximumSecondsToLive: Int = 72 * 3600,
        defaultSigkeys: [String] = [],
        allowedFlags: ComposeFlags = .everyOption, allowedResults: ComposeResults = .everyOption, allowedArches: [String] = [],
        repeatWindow: Int? = nil, unsignedWaitSeconds: Int = 3600,
        maximumPackages: Int = 10_000, maximumListLength: Int = 1000, maximumWordLength: Int = 1024
    ) {
        self.defaultArches = defaultArches
        self.defaultSecondsToLive = defaultSecondsToLive
        self.maximumSecondsToLive = maximumSecondsToLive
        self.defaultSigkeys = defaultSigkeys
        self.allowedFlags = allowedFlags
        self.allowedResults = allowedResults
        self.allowedArches = allowedArches
        self.repeatWindow = repeatWindow
        self.unsignedWaitSeconds = unsignedWaitSeconds
        self.maximumPackages = maximumPackages
        self.maximumListLength = maximumListLength
        self.maximumWordLength = maximumWordLength
    }
}

extension NamedOptions {
    /// All options that have a name.
    public static var everyOption: Self {
        Self(rawValue: names.reduce(0) { $0 | $1.option.rawValue })
    }
}
