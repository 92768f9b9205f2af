public import Repodata

/// A requirement of a package in the result that nothing in the repositories or the lookaside provides.
///
/// Example: nothing provides `libfoo >= 2`, and `app-1-1.x86_64` requires it.
public struct MissingRequirement: Hashable, Sendable, Codable {
    /// One step from a requested package to the package that lacks something: a package, and its
    /// requirement that the next package satisfies.
    public struct Link: Hashable, Sendable, Codable {
        public let package: NEVRA
        public let requirement: String

        public init(package: NEVRA, requirement: String) {
            self.package = package
            self.requirement = requirement
        }
    }

    /// The package with the requirement.
    public let package: NEVRA
    /// The base architecture of the tree.
    public let arch: String
    /// The requirement as the package states it.
    public let requirement: String
    /// The nearest providers, at most three: packages that provide the same thing in another version.
    ///
    /// Example: `libfoo-1.2-1.x86_64 provides libfoo = 1.2`.
    public let nearest: [String]
    /// The steps from a requested package to this package. Empty if this package itself was requested, or
    /// if nothing was solved for it.
    public let chain: [Link]

    public init(package: NEVRA, arch: String, requirement: String, nearest: [String], chain: [Link]) {
        self.package = package
        self.arch = arch
        self.requirement = requirement
        self.nearest = nearest
        self.chain = chain
    }
}

extension MissingRequirement: CustomStringConvertible {
    public var description: String {
        var text = "nothing provides \(requirement), which \(package) requires"
        if !nearest.isEmpty { text += "; nearest: \(nearest.joined(separator: ", "))" }
        if !chain.isEmpty {
            text += "; wanted because " + chain.map { "\($0.package) requires \($0.requirement)" }.joined(separator: ", ")
        }
        return text
    }
}
