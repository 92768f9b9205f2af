import ComposeModel
import ContentSources
import Modules

/// The source type `pungi_compose`: packages of composes that Pungi or this service made.
struct PungiComposeContentSource: ContentSource {
    let repositories: RepositoryReader

    private var composes: PungiComposeSource { PungiComposeSource(repositories: repositories.repositories) }

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        if let pins = fixed?.pungiComposes {
            return PinnedComposes(pins: try pins.map(PinnedPungiCompose.init(recorded:)), source: self)
        }
        let request = attempt.request
        return PinnedComposes(
            pins: try await composes.pin(try request.source.map { try RepositoryLocation($0) }, arches: try request.baseArchitectures),
            source: self)
    }

    /// Variants of other composes at one moment.
    private struct PinnedComposes: PinnedSource {
        let pins: [PinnedPungiCompose]
        let source: PungiComposeContentSource

        var record: ComposePins { ComposePins(pungiComposes: pins.map(\.record)) }

        var lines: [String] { pins.map { "Pinned the compose \($0.location) at \($0.rpms)." } }

        func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) async throws -> SourceContent {
            source.repositories.count(pins.flatMap(\.repositories) + lookaside, on: attempt.meter)
            let content = try await source.composes.content(of: pins, arches: try attempt.request.baseArchitectures)
            return .packages(
                PackageSet(
                    repositories: content.repositories, lookaside: try await source.repositories.metadata(lookaside),
                    listings: content.listings, notes: content.notes))
        }
    }
}
