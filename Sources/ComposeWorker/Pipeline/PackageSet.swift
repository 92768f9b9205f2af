import ComposeModel
import ContentSources
import Repodata

/// The packages of a compose's source, pinned and on this host, before anything is chosen from them.
struct PackageSet: Sendable {
    var repositories: [PinnedRepository]
    /// What satisfies requirements and is never part of the result.
    var lookaside: [PinnedRepository]
    /// Which packages of the repositories count; empty: all of them.
    var listings: [PackageListing] = []
    /// `nil` for any source but Koji's tags and builds.
    var koji: Koji?
    /// What is not as one might expect and does no harm. Sentences.
    var notes: [String] = []

    /// What Koji listed; the repository that was made from it has provisional checksums until the files were chosen.
    struct Koji: Sendable {
        let pin: KojiPin
        let packages: [KojiPackage]
        /// What the repository lacks of them.
        var leftOut: LeftOutPackages?
    }
}
