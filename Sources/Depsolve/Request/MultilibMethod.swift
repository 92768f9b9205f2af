/// The kinds of packages in a tree whose 32-bit counterparts are included. The raw values are those of
/// the HTTP API.
public struct MultilibMethod: OptionSet, Hashable, Sendable, Codable {
    public let rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Packages that ship shared objects.
    public static let runtime = MultilibMethod(rawValue: 1)
    /// Packages named `-devel` or `-static`.
    public static let devel = MultilibMethod(rawValue: 2)
    /// All packages.
    public static let all = MultilibMethod(rawValue: 4)
}
