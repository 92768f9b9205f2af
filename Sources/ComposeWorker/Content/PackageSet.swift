import ComposeModel
import Compression
import ContentSources
import Depsolve
import Repodata

/// A package set is the packages of a compose's source, pinned and on this host, before any are chosen.
struct PackageSet: Sendable {
    var repositories: [PinnedRepository]
    /// Repositories that satisfy requirements and are never part of the result.
    var lookaside: [PinnedRepository]
    /// Lists of the packages that count. If there are no lists, all packages of the repositories count.
    var listings: [PackageListing] = []
    /// `nil` if no package comes from Koji.
    var koji: Koji?
    /// The modules that packages belong to, or `nil` if there are no modules.
    var modules: ModularContent?
    /// Sentences about unexpected facts that do no harm.
    var notes: [String] = []

    /// The packages that Koji listed. The repository that was made from them has provisional checksums
    /// until the files are chosen.
    struct Koji: Sendable {
        let pin: KojiPin
        let packages: [KojiPackage]
        /// The id of the repository that was made from the packages.
        var repository: Checksum
        /// The packages that the repository lacks, or `nil` if it lacks no package.
        var leftOut: LeftOutPackages?
        /// The origins of the chosen packages, by the checksums of their files. Empty until the files are
        /// chosen.
        var origins: [Checksum: KojiOrigin] = [:]
    }
}
