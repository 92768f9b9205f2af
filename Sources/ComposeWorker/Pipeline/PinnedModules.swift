import ComposeModel
import ContentSources
import Modules

/// The modules of a compose of the source type `module`, and where they are.
struct PinnedModules: Sendable {
    /// Sorted.
    let ids: [NSVC]
    /// Those that are in Koji.
    let koji: KojiPin?
    /// What has the others.
    let repositories: [RepositoryPin]
    /// A sentence for each, why it is in; empty for what was pinned earlier.
    var reasons: [String] = []
}

extension PinnedModules {
    /// As it was written down.
    init(_ pins: ComposePins, _ modules: [String]) throws {
        self.init(
            ids: try modules.map { text in
                guard let id = NSVC(text) else {
                    throw ComposeFailure(.internal, "The record of this compose has a module that cannot be read: \(text).")
                }
                return id
            }, koji: pins.koji, repositories: try pins.repositories.map(RepositoryPin.init))
    }
}
