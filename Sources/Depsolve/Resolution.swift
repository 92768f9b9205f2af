public import Modules
public import Repodata

/// The packages that answer a ``DepsolveRequest``, each with the reason why it is in, and everything that is not as it should be.
///
/// The same request gives the same resolution, in the same order: packages by name, version and architecture.
public struct Resolution: Hashable, Sendable, Codable {
    /// One for each base architecture, in the order in which they were asked for.
    public let trees: [ArchitectureTree]
    /// The source tree, of all architectures together.
    public let sources: [ResolvedPackage]
    /// What was requested and is not there.
    public let absent: [AbsentPackage]
    /// Requirements of packages in the result that nothing provides.
    public let missing: [MissingRequirement]
    /// Packages that could not be installed for another reason than a missing requirement.
    public let problems: [InstallProblem]
    /// Packages that were listed and gave way to others; see ``DepsolveRequest/listings``.
    public let overruled: [OverruledPackage]
    /// Packages of the repositories that were left out before anything was resolved.
    public let unnameable: [UnnameablePackage]
    /// What the repositories list besides that is no package.
    public let unusable: [UnusableEntries]
    /// The builds of modules that the trees have together: those of its packages, those that were to be in, and, to the end, what these require in order to
    /// be enabled. In order.
    public let modules: [NSVC]
    /// Modules that are not used as they should be.
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
    /// The base architecture, as dnf's `$basearch` has it: `x86_64`, `i386` for `i686`, `armhfp` for `armv7hl`, …
    public let arch: String
    public let binaries: [ResolvedPackage]
    /// Packages of debugging information, which have a tree of their own.
    public let debug: [ResolvedPackage]
    /// The builds of modules that it has; see ``Resolution/modules``.
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

    public init(record: PackageRecord, reason: Reason) {
        self.record = record
        self.reason = reason
    }
}
