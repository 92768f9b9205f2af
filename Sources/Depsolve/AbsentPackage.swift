/// Something that was requested and that the repositories do not have.
public struct AbsentPackage: Hashable, Sendable, Codable {
    /// The name or pattern as it was requested.
    public let pattern: String
    /// The base architectures for which it is absent.
    public let arches: [String]
    /// Whether no tree of the result has it.
    public let isNowhere: Bool
    /// The names that come nearest, at most three, the nearest first; `name.arch` for those that are there for other architectures.
    /// Empty where some tree has the package.
    public let nearest: [String]
    /// The packages that it means and that modules hide; empty where it means none that there are.
    public let hidden: [HiddenPackage]
    /// The packages that it may mean and that were left out.
    public let unnameable: [UnnameablePackage]

    public init(
        pattern: String, arches: [String], isNowhere: Bool, nearest: [String], hidden: [HiddenPackage] = [],
        unnameable: [UnnameablePackage] = []
    ) {
        self.pattern = pattern
        self.arches = arches
        self.isNowhere = isNowhere
        self.nearest = nearest
        self.hidden = hidden
        self.unnameable = unnameable
    }
}

extension AbsentPackage: CustomStringConvertible {
    public var description: String {
        let hint = nearest.isEmpty ? "" : "; nearest: \(nearest.joined(separator: ", "))"
        let reasons = (hidden.map(\.description) + unnameable.map(\.description)).map { "; \($0)" }.joined()
        return "\(pattern) is not there for \(arches.joined(separator: ", "))\(hint)\(reasons)"
    }
}
