import ComposeModel
import ContentSources
import Modules

/// Everything that a compose is made from, at one moment.
struct PinnedInputs: Sendable {
    let source: PinnedSource
    /// What satisfies requirements and is no part of the result.
    var lookaside: [RepositoryPin] = []
    /// Where the request names a repository of them, and what they are.
    var moduleDefaults: (pin: ModuleDefaultsPin, metadata: ModuleMetadata)?

    /// As it is written down.
    var record: ComposePins {
        var pins = source.record
        pins.lookaside = lookaside.map(ComposeSpecification.Repository.init)
        pins.moduleDefaults = moduleDefaults?.pin
        return pins
    }

    /// A line for the log for each thing that was pinned.
    var lines: [String] {
        source.lines + PinnedSource.repositories(lookaside).lines
            + (moduleDefaults.map { ["Pinned the module defaults \($0.pin.url) at the commit \($0.pin.commit)."] } ?? [])
    }
}
