/// A token service is the setup for API tokens that people make for themselves.
public struct TokenService: Hashable, Sendable {
    /// The longest life of a token in days. `nil` if tokens may live without an end.
    public var mostDays: Int?
    /// Whether people may make tokens for themselves. Without it, only the operator makes tokens.
    public var isSelfService: Bool

    public init(mostDays: Int? = 365, isSelfService: Bool = true) {
        self.mostDays = mostDays
        self.isSelfService = isSelfService
    }
}
