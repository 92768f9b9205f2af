/// A requested name or pattern that the repositories do not have.
///
/// Example: `htppd` is absent for `x86_64` and `aarch64`, and the nearest name is `httpd`.
public struct AbsentPackage: Hashable, Sendable, Codable {
    /// The name or pattern as the request has it.
    public let pattern: String
    /// The base architectures for which the package is absent.
    public let arches: [String]
    /// Whether the package is absent from all trees of the result.
    public let isNowhere: Bool
    /// The most similar names, at most three, the nearest first. A package that exists for other
    /// architectures only is listed as `name.arch`. Empty if some tree has the package, or if ``hidden`` is
    /// not empty.
    public let nearest: [String]
    /// The packages that the pattern means and that modules hide, at most three. Empty if there are no
    /// hidden packages of that name.
    public let hidden: [HiddenPackage]
    /// The packages that the pattern may mean and that were left out of their repository.
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
