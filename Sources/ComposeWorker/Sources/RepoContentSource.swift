import ComposeModel
import ContentSources
import Depsolve
import Modules

/// The source type `repo`: packages of repositories.
struct RepoContentSource: ContentSource {
    let repositories: RepositoryReader
    let modules: ModuleReader

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        if let fixed { return PinnedRepositories(pins: try fixed.repositories.map(RepositoryPin.init), source: self) }
        return PinnedRepositories(pins: try await repositories.pin(attempt.request.source), source: self)
    }

    /// Repositories at one moment.
    private struct PinnedRepositories: PinnedSource {
        let pins: [RepositoryPin]
        let source: RepoContentSource

        var record: ComposePins { ComposePins(repositories: pins.map(ComposeSpecification.Repository.init)) }

        var lines: [String] { pins.map(\.line) }

        /// Returns the packages of the repositories, with the modules that they belong to.
        func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) async throws -> SourceContent {
            var content = try await source.repositories.packages(pins, lookaside: lookaside, meter: attempt.meter)
            let metadata = try await source.repositories.modules(of: content.repositories)
            content.modules = try await source.modules.modularContent(
                try source.modules.merged(metadata), lookaside: content.lookaside, for: attempt.request)
            content.notes += content.modules?.notes ?? []
            return .packages(content)
        }
    }
}
