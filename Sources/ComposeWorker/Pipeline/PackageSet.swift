import ContentSources

/// The content of a compose's source, pinned and on this host, before anything is chosen from it.
struct PackageSet: Sendable {
    var repositories: [PinnedRepository]
    /// What satisfies requirements and is never part of the result.
    var lookaside: [PinnedRepository]
}
