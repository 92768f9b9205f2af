import ComposeModel
import ContentSources
import Depsolve
import Modules
import Repodata

/// A module reader pins the modules of requests, and fetches their documents.
struct ModuleReader: Sendable {
    let repositories: RepositorySource
    /// `nil` if no Koji is configured.
    let koji: KojiSource?
    let modules: ModuleSources

    // MARK: Pin

    /// Pins the modules of a request of the source type `module` as they are now, with all modules that
    /// they depend on.
    func pin(_ request: ComposeRequest) async throws -> PinnedModules {
        var places: [any ModuleCatalog] = []
        if !request.scratchModules.isEmpty { places.append(try scratchModules(request)) }
        let repositories = ConfiguredRepositories { try await modularRepositories(request) }
        if !request.modularKojiTags.isEmpty {
            places.append(try await kojiTags(request.modularKojiTags, of: request))
        } else {
            if let service = modules.service { places.append(service) }
            if !modules.kojiTags.isEmpty { places.append(try await kojiTags(modules.kojiTags, of: request)) }
            if !modules.repositories.isEmpty { places.append(repositories) }
        }
        let (catalog, rules) = (ModuleCatalogs(places), rules(of: request))
        let asked = try await references(request.source, in: catalog, rules: rules) + references(request.scratchModules)
        let choice = try await explained { try await ModuleChoice(of: asked, from: catalog, rules: rules) }
        let builds = choice.modules.map(\.build)
        // Modules that were found in a repository have no Koji tag.
        let read = await repositories.read
        let found = read.map { Set($0.metadata.streams.map(\.id)) }
        let local = Set(
            builds.filter { $0.kojiTag == nil && $0.scratchID == nil }.map(\.id).filter { id in found.contains { $0.contains(id) } })
        let used = zip(read, found).filter { !local.isDisjoint(with: $1) }.map(\.0)
        return PinnedModules(
            ids: builds.map(\.id), koji: try await kojiPin(builds.filter { !local.contains($0.id) }, of: request),
            repositories: used.map(\.pin),
            reasons: choice.modules.map { chosen in
                let chain = chosen.chain.count == 1 ? "it was asked for" : chosen.chain.joined(separator: " needs ")
                return "The module \(chosen.build.id) is part of it: \(chain)."
            })
    }

    /// Pins the modules that a Koji tag or builds take along: all modules of the requested tags, and
    /// scratch builds. Returns `nil` if there are no such modules.
    func pin(along request: ComposeRequest) async throws -> [KojiPin.Module]? {
        var asked = try references(request.scratchModules)
        var places: [any ModuleCatalog] = request.scratchModules.isEmpty ? [] : [try scratchModules(request)]
        if !request.modularKojiTags.isEmpty {
            let tags = try await kojiTags(request.modularKojiTags, of: request)
            places.append(tags)
            asked += try await tags.newestBuilds().map(\.id).filter { !modules.baseModules.contains($0.name) }
                .map { ModuleReference(name: $0.name, stream: $0.stream, version: $0.version, context: $0.context) }
        }
        if asked.isEmpty { return nil }
        // Dependencies are not followed. Wanted dependencies are in the same tags or scratch builds.
        var rules = rules(of: request)
        rules.noDependencies = true
        let choice = try await explained { try await ModuleChoice(of: asked, from: ModuleCatalogs(places), rules: rules) }
        return try await kojiPin(choice.modules.map(\.build), of: request)?.modules
    }

    /// Returns the result of a choice of modules. Throws its errors as failures of a compose.
    private func explained<Result>(_ choice: () async throws -> Result) async throws -> Result {
        do { return try await choice() } catch let error as ModuleChoiceError { throw ComposeFailure(error) }
    }

    private func kojiPin(_ builds: [ModuleBuild], of request: ComposeRequest) async throws -> KojiPin? {
        guard !builds.isEmpty else { return nil }
        return KojiPin(
            modules: try await requiredKoji().pin(modules: builds, event: request.kojiEvent).modules, modulesEvent: request.kojiEvent)
    }

    /// Reads module references as ``references(_:)`` does. It also reads the form of the first published
    /// version, in which names have dashes.
    private func references(
        _ texts: [String], in catalog: ModuleCatalogs, rules: ModuleChoice.Rules
    ) async throws -> [ModuleReference] {
        var found: [ModuleReference] = []
        for text in texts {
            if let dashed = DashedModule(text) {
                found.append(try await explained { try await dashed.reference(in: catalog, rules: rules) })
            } else {
                found += try references([text])
            }
        }
        return found
    }

    private func references(_ texts: [String]) throws -> [ModuleReference] {
        try texts.map { text in
            guard let reference = ModuleReference(text) else {
                throw ComposeFailure(.sourceNotUsable, "\(text) is no module: one is written N:S, N:S:V or N:S:V:C, V being a number.")
            }
            return reference
        }
    }

    private func rules(of request: ComposeRequest) -> ModuleChoice.Rules {
        var rules = ModuleChoice.Rules()
        rules.noDependencies = request.flags.contains(.noDeps)
        rules.baseModules = modules.baseModules
        rules.filter.includesDone = request.flags.contains(.includeDoneModules)
        rules.filter.baseName = request.baseModuleBrName
        rules.filter.baseStream = request.baseModuleBrStream
        rules.filter.baseStreamVersionAtMost = request.baseModuleBrStreamVersionLTE.map(Double.init)
        rules.filter.baseStreamVersionAtLeast = request.baseModuleBrStreamVersionGTE.map(Double.init)
        return rules
    }

    private func requiredKoji() throws -> KojiSource {
        guard let koji else {
            throw ComposeFailure(
                .internal,
                "This worker has no Koji in its configuration, where the packages of modules are; the operator of this service can help.")
        }
        return koji
    }

    private func kojiTags(_ tags: [String], of request: ComposeRequest) async throws -> KojiModuleTags {
        try await requiredKoji().modules(inTags: tags, event: request.kojiEvent)
    }

    private func scratchModules(_ request: ComposeRequest) throws -> ScratchModules {
        ScratchModules(service: try requiredService(), builds: try references(request.scratchModules))
    }

    private func requiredService() throws -> ModuleBuildService {
        guard let service = modules.service else {
            throw ComposeFailure(
                .internal,
                "This worker has no Module Build Service in its configuration, which knows scratch modules; the operator of this service can help."
            )
        }
        return service
    }

    /// Returns the modular repositories of the configuration. A location with `$basearch` stands for one
    /// repository for each architecture.
    private func modularRepositories(_ request: ComposeRequest) async throws -> [(pin: RepositoryPin, metadata: ModuleMetadata)] {
        let base = try request.baseArchitectures
        let places = modules.repositories.flatMap { place in
            place.contains("$basearch") ? base.map { place.replacing("$basearch", with: $0) } : [place]
        }
        var found: [(pin: RepositoryPin, metadata: ModuleMetadata)] = []
        for place in places.uniqued() {
            let repository = try await repositories.pinAndFetch(try RepositoryLocation(place))
            found.append(
                (RepositoryPin(recorded: repository.metadata.id, of: repository.location), try await repositories.modules(of: repository)))
        }
        return found
    }

    // MARK: Fetch

    /// Returns the documents of scratch builds, by the builds' full names. These documents are not in Koji.
    func scratchDocuments(of pin: KojiPin) async throws -> [String: ModuleMetadata] {
        var documents: [String: ModuleMetadata] = [:]
        for module in pin.modules ?? [] {
            guard let number = module.scratchID, let id = NSVC(module.id) else { continue }
            documents[module.id] = try await requiredService().finalDocuments(ofScratchBuild: number, id)
        }
        return documents
    }

    /// Returns the modular packages, and the modules that the request wants. Returns `nil` if there are
    /// neither.
    func modularContent(
        _ metadata: ModuleMetadata, lookaside: [PinnedRepository], included: Set<NSVC> = [], for request: ComposeRequest
    ) async throws -> ModularContent? {
        let others = try await RepositoryReader(repositories: repositories).modules(of: lookaside)
        let enabled = try references(request.modules)
        if let exact = enabled.first(where: { $0.version != nil }), request.sourceType != .module {
            throw ComposeFailure(
                .sourceNotUsable,
                "\(exact) cannot be enabled: a stream is, whose newest version counts. Write \(exact.name):\(exact.stream) in modules.")
        }
        let content = ModularContent(
            metadata: metadata, lookaside: try merged(others), baseModules: modules.baseModules, enabled: enabled,
            included: included)
        return content.isEmpty ? nil : content
    }

    func merged(_ several: [ModuleMetadata]) throws -> ModuleMetadata {
        do {
            return try ModuleMetadata(merging: several)
        } catch {
            throw ComposeFailure(.metadataCorrupt, "What the sources say of modules does not go together: \(error)")
        }
    }
}

/// The repositories with modules from the service's configuration. They are read only when a module is
/// looked for that no other place has.
actor ConfiguredRepositories: ModuleCatalog {
    nonisolated let name = "the repositories of this service's configuration"
    private let load: @Sendable () async throws -> [(pin: RepositoryPin, metadata: ModuleMetadata)]
    private var loading: Task<[(pin: RepositoryPin, metadata: ModuleMetadata)], any Error>?
    /// The repositories that were read. Empty until a module is looked for here.
    private(set) var read: [(pin: RepositoryPin, metadata: ModuleMetadata)] = []

    init(_ load: @escaping @Sendable () async throws -> [(pin: RepositoryPin, metadata: ModuleMetadata)]) { self.load = load }

    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        try await modular().builds(of: reference, filter: filter)
    }

    func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        try await modular().streams(of: module, filter: filter)
    }

    func modules() async throws -> [String] { try await modular().modules() }

    func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) async throws -> String? {
        try await modular().reason(forAbsenceOf: reference, filter: filter)
    }

    private func modular() async throws -> RepositoryModules {
        let load = load
        let task = loading ?? Task { try await load() }
        loading = task
        read = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        return RepositoryModules(
            ModuleMetadata().with(streams: read.flatMap(\.metadata.streams)), unusable: read.flatMap(\.metadata.unusable), name: name)
    }
}

/// The scratch builds of modules. Only the full name of a scratch build refers to it.
struct ScratchModules: ModuleCatalog {
    let service: ModuleBuildService
    let builds: [ModuleReference]

    var name: String { "the scratch builds of \(service.name)" }

    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        builds.contains(reference) ? try await service.scratchBuilds(of: reference) : []
    }

    func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        builds.filter { $0.name == module }.map(\.stream).uniqued()
    }

    func modules() async throws -> [String] { [] }
}
