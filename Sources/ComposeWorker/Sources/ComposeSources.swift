import ComposeModel
public import ComposeStore
public import ContentSources
import Modules
import SystemPackage

/// Compose sources are all sources that composes are made from, one for each source type. They pin the
/// current state of a source, and bring pinned content to this host.
public struct ComposeSources: Sendable {
    /// The content sources. A type that is not configured is absent.
    var types: [SourceType: any ContentSource] = [:]
    let repositories: RepositorySource
    private let modules: ModuleSources
    /// `nil` if no Koji is configured.
    private(set) var koji: KojiReader?

    /// Creates the sources that need only repositories. The methods `add` add the types of other systems.
    /// That of Koji is here, the others are beside their content sources.
    public init(repositories: RepositorySource, modules: ModuleSources = ModuleSources()) {
        self.repositories = repositories
        self.modules = modules
        let reader = RepositoryReader(repositories: repositories)
        let modules = ModuleReader(repositories: repositories, koji: nil, modules: modules)
        types[.repo] = RepoContentSource(repositories: reader, modules: modules)
        types[.pungiCompose] = PungiComposeContentSource(repositories: reader)
        types[.module] = ModuleContentSource(repositories: reader, modules: modules, koji: nil)
    }

    /// Adds the source types `tag` and `build`, and the modules that are in Koji.
    ///
    /// - Parameter store: Has the earlier pins of Koji tags.
    public mutating func add(_ source: KojiSource, store: ComposeStore) {
        let reader = RepositoryReader(repositories: repositories)
        let modules = ModuleReader(repositories: repositories, koji: source, modules: modules)
        let koji = KojiReader(source: source, repositories: reader, modules: modules)
        self.koji = koji
        types[.tag] = TagContentSource(koji: koji) { try await store.latestKojiPin(ofTag: $0) }
        types[.build] = BuildContentSource(koji: koji)
        types[.module] = ModuleContentSource(repositories: reader, modules: modules, koji: koji)
    }

    /// Returns the pinned source of the attempt's compose. If the compose has fixed pins, for example
    /// because it is renewed, they are used. Otherwise the source is pinned as it is now.
    func pin(_ attempt: ComposeAttempt) async throws -> any PinnedSource {
        let compose = attempt.lease.compose
        let type = compose.request.sourceType
        guard let source = types[type] else { throw Self.notConfigured(type) }
        return try await source.pin(attempt, fixed: compose.isPinned ? compose.specification?.pins : nil)
    }

    /// Returns the pinned lookaside repositories of a compose. If the compose has fixed pins, for example
    /// because it is renewed, they are used. Otherwise the repositories are pinned as they are now.
    func pinLookaside(_ compose: Compose) async throws -> [RepositoryPin] {
        // Other composes are not resolved, so they need no lookaside.
        guard compose.request.sourceType.traits.writesOwnTree else { return [] }
        if compose.isPinned, let pins = compose.specification?.pins { return try pins.lookaside.map(RepositoryPin.init) }
        return try await pinLookaside(of: compose.request)
    }

    /// Pins the lookaside repositories of a request as they are now.
    func pinLookaside(of request: ComposeRequest) async throws -> [RepositoryPin] {
        try await RepositoryReader(repositories: repositories).pin(request.lookasideRepos)
    }

    /// Fetches the module defaults that a request names. If the compose has fixed pins, for example because
    /// it is renewed, the defaults come from the pinned commit. Otherwise they are the current ones.
    /// Returns `nil` if the request names no defaults.
    func pinModuleDefaults(_ attempt: ComposeAttempt) async throws -> (pin: ModuleDefaultsPin, metadata: ModuleMetadata)? {
        let compose = attempt.lease.compose
        guard compose.request.sourceType.traits.takesModuleOptions, let url = compose.request.moduleDefaultsURL,
            let commit = compose.request.moduleDefaultsCommit
        else { return nil }
        let pinned = compose.isPinned ? compose.specification?.pins.moduleDefaults?.commit : nil
        return try await ModuleDefaultsFetcher(access: repositories.access, log: attempt.log)
            .fetch(url, at: pinned ?? commit, into: attempt.directory.appending("module-defaults"))
    }

    /// Returns the failure for a request of a type that this worker is not configured for. The frontend
    /// that accepted the request has more configured than this worker.
    static func notConfigured(_ type: SourceType) -> ComposeFailure {
        ComposeFailure(
            .internal,
            "This worker is not configured for composes of the type \(type.name), unlike the frontend that took the request; the operator of this service can help."
        )
    }
}
