public import Repodata

/// A request to resolve packages: the repositories, the wanted packages and the architectures.
public struct DepsolveRequest: Hashable, Sendable {
    /// The repositories of the packages of the result. Their order decides only between packages of equal
    /// epoch, version and release.
    public var repositories: [RepositoryMetadata]
    /// Repositories of packages that satisfy requirements and never appear in the result. The exception is
    /// a requested package that ``repositories`` also have.
    public var lookaside: [RepositoryMetadata]
    /// Listings of the packages that count, and of the tree for which they count, in order of preference.
    /// Packages without a listing do not count. If this is empty, all packages of the repositories count
    /// for all trees.
    public var listings: [PackageListing]
    /// The modules that packages belong to. `nil` if there are no modules.
    public var modules: ModularContent?
    /// The requested packages: names of RPMs or of source packages, and globs for either. The longer forms
    /// of dnf are also allowed: `name.arch`, `name-[epoch:]version`, and `name-[epoch:]version-release`
    /// with or without `.arch`. Empty means everything in the repositories.
    public var packages: [String]
    /// The architectures, with one tree each: `x86_64`, `aarch64`, `i686`, … Architectures of one base
    /// architecture (`i586` and `i686`) share a tree.
    public var arches: [String]
    /// The architectures of `arches` whose trees also get compatible 32-bit packages.
    public var multilibArches: [String]
    /// The packages whose 32-bit counterparts are added to the trees of ``multilibArches``.
    public var multilibMethod: MultilibMethod
    /// Whether to take exactly the requested packages, without their dependencies.
    public var noDeps: Bool
    /// Whether to look for every reason why a package of the result could not be installed from the result
    /// and the lookaside. This matters only if nothing is solved anyway: with ``noDeps``, or if everything
    /// is requested.
    public var checkInstallability: Bool

    /// The architectures that ``arches`` accepts. The names of trees come first, then their other names.
    public static var knownArches: [String] { TreeArchitecture.accepted }

    /// Returns the architectures of packages that a resolution for `arches` may contain or use.
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
