import ComposeModel
import ContentSources
import Depsolve
import Repodata

/// The packages of a compose's source, pinned and on this host, before anything is chosen from them.
struct PackageSet: Sendable {
    var repositories: [PinnedRepository]
    /// What satisfies requirements and is never part of the result.
    var lookaside: [PinnedRepository]
    /// Which packages of the repositories count; empty: all of them.
    var listings: [PackageListing] = []
    /// `nil` where nothing is Koji's.
    var koji: Koji?
    /// The modules that packages are of; `nil` where there are none.
    var modules: ModularContent?
    /// What is not as one might expect and does no harm. Sentences.
    var notes: [String] = []

    /// What Koji listed; the repository that was made from it has provisional checksums until the files were chosen.
    struct Koji: Sendable {
        let pin: KojiPin
        let packages: [KojiPackage]
        /// The repository that was made from them, by its id.
        var repository: Checksum
        /// What the repository lacks of them.
        var leftOut: LeftOutPackages?
    }
}
