import ComposeModel
import ContentSources
import Modules

/// Pinned modules are the modules of a compose of the source type `module`, and their places.
struct PinnedModules: Sendable {
    /// The modules, sorted.
    let ids: [NSVC]
    /// The modules that are in Koji, or `nil` if no module is.
    let koji: KojiPin?
    /// The repositories that have the other modules.
    let repositories: [RepositoryPin]
    /// Sentences, one for each module, with the reason why it is included. Empty if the modules were pinned
    /// earlier.
    var reasons: [String] = []
}

extension PinnedModules {
    /// Reads the modules as the database stores them. Throws `.internal` if the record cannot be read.
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
