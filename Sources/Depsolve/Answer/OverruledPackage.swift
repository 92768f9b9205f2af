public import Repodata

/// A package that was left out because an earlier listing, or an earlier repository, has another
/// package of the same name, version and architecture.
public struct OverruledPackage: Hashable, Sendable, Codable {
    public let package: NEVRA
    /// The base architecture of the tree.
    public let arch: String
    /// The listing or repository that has the package, as messages name it.
    public let listing: String
    /// The listing or repository whose package was taken, as messages name it.
    public let taken: String

    public init(package: NEVRA, arch: String, listing: String, taken: String) {
        self.package = package
        self.arch = arch
        self.listing = listing
        self.taken = taken
    }
}

extension OverruledPackage: CustomStringConvertible {
    public var description: String {
        listing == taken
            ? "\(listing) has more than one \(package) for \(arch), and they differ; the first is taken"
            : "\(package) is not the same in \(taken) and in \(listing); that of \(taken) is taken for \(arch)"
    }
}
