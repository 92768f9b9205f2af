import ComposeModel
import ContentSources
import Depsolve
import Modules

/// The source type `module`: modules with all their packages, and nothing else.
struct ModuleContentSource: ContentSource {
    let repositories: RepositoryReader
    let modules: ModuleReader
    /// `nil` if no Koji is configured.
    let koji: KojiReader?

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        if let fixed, let modules = fixed.modules { return Pinned(modules: try PinnedModules(fixed, modules), source: self) }
        return Pinned(modules: try await modules.pin(attempt.request), source: self)
    }

    /// Modules at one moment.
    private struct Pinned: PinnedSource {
        let modules: PinnedModules
        let source: ModuleContentSource

        var record: ComposePins {
            ComposePins(
                repositories: modules.repositories.map(ComposeSpecification.Repository.init), koji: modules.koji,
                modules: modules.ids.map(\.description))
        }

        var lines: [String] {
            (modules.reasons.isEmpty ? modules.ids.map { "The module \($0) is part of it." } : modules.reasons)
                + modules.repositories.map(\.line)
        }

        func words(of request: ComposeRequest) -> [String] { modules.ids.map(\.description) }

        func isSettled(for request: ComposeRequest) -> Bool { modules.koji == nil }

        func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) async throws -> SourceContent {
            let (request, meter) = (attempt.request, attempt.meter)
            var content = try await source.repositories.packages(modules.repositories, lookaside: lookaside, meter: meter)
            var metadata = try await source.repositories.modules(of: content.repositories)
            if let pin = modules.koji {
                guard let reader = source.koji else { throw ComposeSources.notConfigured(request.sourceType) }
                let koji = try await reader.packages(pin, lookaside: [], for: request, meter: meter)
                content.repositories = koji.repositories + content.repositories
                content.koji = koji.koji
                content.notes += koji.notes
                if let modules = koji.modules { metadata.insert(modules.metadata, at: 0) }
            }
            content.modules = try await source.modules.modularContent(
                try source.modules.merged(metadata).adding(defaultsOf: defaults), lookaside: content.lookaside,
                included: Set(modules.ids), for: request)
            content.modules?.isAlone = true
            content.notes += content.modules?.notes ?? []
            return .packages(content)
        }
    }
}
