public import ComposeModel

/// What a request may ask for, and what it gets where it does not say.
public struct RequestLimits: Sendable {
    public var defaultArches: [String]
    /// In seconds, from the end of the compose.
    public var defaultSecondsToLive: Int
    /// A longer time to live is cut down to this, in seconds.
    public var maximumSecondsToLive: Int
    /// The signing keys of a request that names none.
    public var defaultSigkeys: [String]
    /// Source types that this server cannot compose from, each with the sentence that a caller is told: which setting is missing.
    public var refusedSourceTypes: [SourceType: String]
    public var allowedFlags: ComposeFlags
    public var allowedResults: ComposeResults
    /// Empty: any.
    public var allowedArches: [String]
    /// In seconds: for so long a POST of a client who is known, and which equals an earlier one, is answered with the compose that the
    /// earlier one made, unless that failed or was removed; `nil`: two equal requests are two composes, unless a key says otherwise.
    public var repeatWindow: Int?
    /// Whether a compose may refer to its packages' files instead of having them (`koji.allow_reference`).
    public var allowsReference: Bool
    /// How long a compose waits for signatures at the most, and if its request would have it wait and does not say; in seconds.
    public var unsignedWaitSeconds: Int
    /// The modules that every machine has and no compose contains.
    public var baseModules: Set<String>
    public var maximumPackages: Int
    /// For every other list.
    public var maximumListLength: Int
    /// In characters, of one word.
    public var maximumWordLength: Int

    public init(
        defaultArches: [String] = ["x86_64"], defaultSecondsToLive: Int = 24 * 3600, maximumSecondsToLive: Int = 72 * 3600,
        defaultSigkeys: [String] = [], refusedSourceTypes: [SourceType: String] = [:],
        allowedFlags: ComposeFlags = .everyOption, allowedResults: ComposeResults = .everyOption, allowedArches: [String] = [],
        repeatWindow: Int? = nil, allowsReference: Bool = false, unsignedWaitSeconds: Int = 3600,
        baseModules: Set<String> = ["platform", "bootstrap"],
        maximumPackages: Int = 10_000, maximumListLength: Int = 1000, maximumWordLength: Int = 1024
    ) {
        self.defaultArches = defaultArches
        self.defaultSecondsToLive = defaultSecondsToLive
        self.maximumSecondsToLive = maximumSecondsToLive
        self.defaultSigkeys = defaultSigkeys
        self.refusedSourceTypes = refusedSourceTypes
        self.allowedFlags = allowedFlags
        self.allowedResults = allowedResults
        self.allowedArches = allowedArches
        self.repeatWindow = repeatWindow
        self.allowsReference = allowsReference
        self.unsignedWaitSeconds = unsignedWaitSeconds
        self.baseModules = baseModules
        self.maximumPackages = maximumPackages
        self.maximumListLength = maximumListLength
        self.maximumWordLength = maximumWordLength
    }
}

extension NamedOptions {
    /// Every bit that has a name.
    public static var everyOption: Self {
        Self(rawValue: names.reduce(0) { $0 | $1.option.rawValue })
    }
}
