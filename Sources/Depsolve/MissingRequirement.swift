public import Repodata

/// A requirement of a package in the result that nothing in the repositories or the lookaside provides.
public struct MissingRequirement: Hashable, Sendable, Codable {
    /// One step from a requested package towards the one that lacks something: a package, and what it requires of the next.
    public struct Link: Hashable, Sendable, Codable {
        public let package: NEVRA
        public let requirement: String

        public init(package: NEVRA, requirement: String) {
            self.package = package
            self.requirement = requirement
        }
    }

    /// The package that requires it.
    public let package: NEVRA
    /// The base architecture of the tree.
    public let arch: String
    /// The requirement as the package states it.
    public let requirement: String
    /// What comes nearest: who provides the same with another version, `libfoo-1.2-1.x86_64 provides libfoo = 1.2`. At most three.
    public let nearest: [String]
    /// How a requested package leads here; empty where the package itself was requested.
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
