import ComposeModel
import ContentSources
import Modules

/// Pinned inputs are everything that a compose is made from, at one moment.
struct PinnedInputs: Sendable {
    let source: any PinnedSource
    /// Repositories that satisfy requirements and are never part of the result.
    var lookaside: [RepositoryPin] = []
    /// The module defaults and their pin, or `nil` if the request names no repository of module defaults.
    var moduleDefaults: (pin: ModuleDefaultsPin, metadata: ModuleMetadata)?

    /// The inputs in the form that the database stores.
    var record: ComposePins {
        var pins = source.record
        pins.lookaside = lookaside.map(ComposeSpecification.Repository.init)
        pins.moduleDefaults = moduleDefaults?.pin
        return pins
    }

    /// A line for the log for each thing that was pinned.
    var lines: [String] {
        source.lines + lookaside.map(\.line)
            + (moduleDefaults.map { ["Pinned the module defaults \($0.pin.url) at the commit \($0.pin.commit)."] } ?? [])
    }
}
