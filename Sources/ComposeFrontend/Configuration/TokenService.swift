/// A token service is the setup for API tokens that people make for themselves.
public struct TokenService: Hashable, Sendable {
    /// The longest life of a token in days. `nil` if tokens may live without an end.
    public var mostDays: Int?
    /// The number of days before the end of a token from which on its owner is warned. 0 means no warnings.
    public var warnDays: Int
    /// Whether people may make tokens for themselves. Without it, only the operator makes tokens.
    public var isSelfService: Bool

    /// ``warnDays`` as a duration.
    public var warning: Duration { .seconds(warnDays * 86_400) }

    public init(mostDays: Int? = 365, warnDays: Int = 14, isSelfService: Bool = true) {
        self.mostDays = mostDays
        self.warnDays = warnDays
        self.isSelfService = isSelfService
    }
}
