public import Modules
public import Repodata

/// A resolution has the packages for a ``DepsolveRequest``, each with the reason why it is included,
/// and all problems that were found.
///
/// Equal requests give equal resolutions, in the same order: packages are sorted by name, version and
/// architecture.
public struct Resolution: Hashable, Sendable, Codable {
    /// The trees, one for each base architecture, in the order of the request.
    public let trees: [ArchitectureTree]
    /// The source tree of all architectures together.
    public let sources: [ResolvedPackage]
    /// Requested packages that are absent.
    public let absent: [AbsentPackage]
    /// Requirements of packages in the result that nothing provides.
    public let missing: [MissingRequirement]
    /// Packages that could not be installed for another reason than a missing requirement.
    public let problems: [InstallProblem]
    /// Packages that were left out in favor of other packages. See ``DepsolveRequest/listings``.
    public let overruled: [OverruledPackage]
    /// Packages of the repositories that were left out before the resolution.
    public let unnameable: [UnnameablePackage]
    /// The numbers of entries of the repositories that are not usable packages.
    public let unusable: [UnusableEntries]
    /// The builds of modules of all trees, in ascending order. These are the builds of packages in the
    /// trees and the included builds. All builds that these require directly or indirectly are also listed.
    public let modules: [NSVC]
    /// Modules that are not used as intended.
    public let moduleProblems: [ModuleProblem]

    public init(
        trees: [ArchitectureTree], sources: [ResolvedPackage], absent: [AbsentPackage], missing: [MissingRequirement],
        problems: [InstallProblem], overruled: [OverruledPackage] = [], unnameable: [UnnameablePackage] = [],
        unusable: [UnusableEntries] = [],
        modules: [NSVC] = [], moduleProblems: [ModuleProblem] = []
    ) {
        self.trees = trees
        self.sources = sources
        self.absent = absent
        self.missing = missing
        self.problems = problems
        self.overruled = overruled
        self.unnameable = unnameable
        self.unusable = unusable
        self.modules = modules
        self.moduleProblems = moduleProblems
    }
}

/// The packages for machines of one base architecture.
public struct ArchitectureTree: Hashable, Sendable, Codable {
    /// The base architecture as dnf's `$basearch` has it: `x86_64`, `i386` for `i686`, `armhfp` for
    /// `armv7hl`, …
    public let arch: String
    public let binaries: [ResolvedPackage]
    /// Packages of debugging information. They have a tree of their own.
    public let debug: [ResolvedPackage]
    /// The builds of modules of the tree. See ``Resolution/modules``.
    public let modules: [NSVC]

    public init(arch: String, binaries: [ResolvedPackage], debug: [ResolvedPackage], modules: [NSVC] = []) {
        self.arch = arch
        self.binaries = binaries
        self.debug = debug
        self.modules = modules
    }
}

/// A package of the result.
public struct ResolvedPackage: Hashable, Sendable, Codable {
    public let record: PackageRecord
    public let reason: Reason
    /// Other packages of the repositories that were not taken in its favor.
    public let alternatives: PackageAlternatives

    public init(record: PackageRecord, reason: Reason, alternatives: PackageAlternatives = PackageAlternatives()) {
        self.record = record
        self.reason = reason
        self.alternatives = alternatives
    }
}
