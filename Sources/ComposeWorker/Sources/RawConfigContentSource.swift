import ComposeModel
import ContentSources
import Modules
public import NIOPosix
import SystemPackage

/// The source type `raw_config`: Pungi makes the compose from a configuration of its own.
struct RawConfigContentSource: ContentSource {
    let pungi: PungiConfiguration
    let threadPool: NIOThreadPool

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        let fetcher = RawConfigFetcher(configuration: pungi, log: attempt.log)
        let directory = attempt.directory.appending("checkout")
        if let pin = fixed?.rawConfig { return PinnedRawConfig(checkout: try await fetcher.checkOut(pin, into: directory), source: self) }
        let source = attempt.request.source.joined(separator: " ")
        return PinnedRawConfig(checkout: try await fetcher.checkOut(source, into: directory), source: self)
    }

    /// A Pungi configuration at one moment.
    private struct PinnedRawConfig: PinnedSource {
        let checkout: RawConfigCheckout
        let source: RawConfigContentSource

        var record: ComposePins { ComposePins(rawConfig: checkout.pin) }

        // The fetcher has already written this line.
        var lines: [String] { [] }

        func words(of request: ComposeRequest) -> [String] { ["\(checkout.pin.name)#\(checkout.pin.commit)"] }

        func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) -> SourceContent {
            .tree(PungiTreeWriter(attempt: attempt, configuration: source.pungi, checkout: checkout, threadPool: source.threadPool))
        }
    }
}

extension ComposeSources {
    /// Adds the source type `raw_config`.
    public mutating func add(_ pungi: PungiConfiguration, threadPool: NIOThreadPool) {
        types[.rawConfig] = RawConfigContentSource(pungi: pungi, threadPool: threadPool)
    }
}
