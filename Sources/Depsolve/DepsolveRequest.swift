public import Repodata

/// What is to be resolved: where packages come from, which of them are wanted, for which architectures.
public struct DepsolveRequest: Hashable, Sendable {
    /// Where packages of the result come from. Their order decides only between packages of equal epoch, version and release.
    public var repositories: [RepositoryMetadata]
    /// Packages that satisfy requirements and never appear in the result, unless a repository has them too and they were asked for.
    public var lookaside: [RepositoryMetadata]
    /// Which packages of the repositories count, and for which tree, in order of preference; empty: all of them for all trees. A package that no
    /// listing names does not count at all.
    public var listings: [PackageListing]
    /// The modules that packages are of; `nil` where there are none.
    public var modules: ModularContent?
    /// Names of RPMs or of source packages, globs on either, and the longer forms that dnf reads: `name.arch`,
    /// `name-[epoch:]version`, `name-[epoch:]version-release` with or without `.arch`. Empty: everything in the repositories.
    public var packages: [String]
    /// One tree each: `x86_64`, `aarch64`, `i686`, … Architectures of one base architecture (`i586` and `i686`) share a tree.
    public var arches: [String]
    /// The architectures of `arches` whose trees also get compatible 32-bit packages.
    public var multilibArches: [String]
    public var multilibMethod: MultilibMethod
    /// Exactly the requested packages, without what they require.
    public var noDeps: Bool
    /// Whether to look for every reason why a package of the result could not be installed from it and the lookaside. Only of
    /// interest where nothing is solved anyway: with ``noDeps``, or with everything requested.
    public var checkInstallability: Bool

    /// What ``arches`` may name, the trees' own names before other names of the same.
    public static var knownArches: [String] { TreeArchitecture.accepted }

    /// The architectures of packages that can be part of a resolution for `arches`, or of use to it.
    public static func packageArches(of arches: [String]) -> [String] { TreeArchitecture.packages(of: arches) }

    public init(
        repositories: [RepositoryMetadata],
        lookaside: [RepositoryMetadata] = [],
        listings: [PackageListing] = [],
        modules: ModularContent? = nil,
        packages: [String] = [],
        arches: [String],
        multilibArches: [String] = [],
        multilibMethod: MultilibMethod = [],
        noDeps: Bool = false,
        checkInstallability: Bool = false
    ) {
        self.repositories = repositories
        self.lookaside = lookaside
        self.listings = listings
        self.modules = modules
        self.packages = packages
        self.arches = arches
        self.multilibArches = multilibArches
        self.multilibMethod = multilibMethod
        self.noDeps = noDeps
        self.checkInstallability = checkInstallability
    }
}
