import ComposeModel
import ComposeStore
public import ContentSources
import Depsolve
import Modules
import Repodata
import SystemPackage

/// Compose sources are all sources that composes are made from. They pin the current state of a source,
/// and bring pinned content to this host.
public struct ComposeSources: Sendable {
    let repositories: RepositorySource
    let pulp: PulpSource?
    let pungi: PungiConfiguration?
    let koji: KojiSource?
    let modules: ModuleSources

    /// - Parameters:
    ///   - pulp: `nil` if no Pulp is configured.
    ///   - pungi: `nil` if this worker does not run Pungi.
    ///   - koji: `nil` if no Koji is configured.
    public init(
        repositories: RepositorySource, pulp: PulpSource? = nil, pungi: PungiConfiguration? = nil, koji: KojiSource? = nil,
        modules: ModuleSources = ModuleSources()
    ) {
        self.repositories = repositories
        self.pulp = pulp
        self.pungi = pungi
        self.koji = koji
        self.modules = modules
    }

    private var composes: PungiComposeSource { PungiComposeSource(repositories: repositories) }

    // MARK: Pin

    /// Returns the pinned source of the attempt's compose. If the compose has fixed pins, for example
    /// because it is renewed, they are used. Otherwise the source is pinned as it is now.
    ///
    /// - Parameter earlierTag: Returns how a Koji tag was pinned last.
    func pin(_ attempt: ComposeAttempt, earlierTag: (String) async throws -> KojiPin.Tag?) async throws -> PinnedSource {
        let compose = attempt.lease.compose
        let request = compose.request
        let pins = compose.isPinned ? compose.specification?.pins : nil
        switch request.sourceType {
        case .repo:
            if let pins { return .repositories(try pins.repositories.map(RepositoryPin.init)) }
            return .repositories(try await pin(request.source))
        case .pungiCompose:
            if let pins = pins?.pungiComposes { return .pungiComposes(try pins.map(PinnedPungiCompose.init(recorded:))) }
            return .pungiComposes(
                try await composes.pin(
                    try request.source.map { try RepositoryLocation($0) }, arches: try baseArchitectures(of: request)))
        case .pulp:
            if let pin = pins?.pulp { return .pulp(pin) }
            return .pulp(try await pulpPin(request))
        case .rawConfig:
            guard let pungi else { throw Self.notConfigured(request.sourceType) }
            let fetcher = RawConfigFetcher(configuration: pungi, log: attempt.log)
            let directory = attempt.directory.appending("checkout")
            if let pin = pins?.rawConfig { return .rawConfig(try await fetcher.checkOut(pin, into: directory), pungi) }
            return .rawConfig(try await fetcher.checkOut(request.source.joined(separator: " "), into: directory), pungi)
        case .tag:
            guard let koji else { throw Self.notConfigured(request.sourceType) }
            let name = request.source.joined(separator: " ")
            if let pins = pins?.koji, let pinned = pins.tag {
                return .koji(KojiPin(tag: pinned, modules: pins.modules, of: request), isSettled: false)
            }
            let (tag, isSettled) = try await koji.pin(
                tag: name, event: request.kojiEvent, inherits: !request.flags.contains(.noInheritance),
                earlier: try await earlierTag(name))
            return .koji(
                KojiPin(tag: tag, modules: try await pinModules(along: request), of: request),
                isSettled: isSettled && request.kojiEvent == nil)
        case .build:
            guard koji != nil else { throw Self.notConfigured(request.sourceType) }
            if let pins = pins?.koji { return .koji(KojiPin(tag: nil, modules: pins.modules, of: request)) }
            return .koji(KojiPin(tag: nil, modules: try await pinModules(along: request), of: request))
        case .module:
            if let pins, let modules = pins.modules { return .modules(try PinnedModules(pins, modules)) }
            return .modules(try await pinModules(request))
        }
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
    func pinLookaside(of request: ComposeRequest) async throws -> [RepositoryPin] { try await pin(request.lookasideRepos) }

    private func pin(_ locations: [String]) async throws -> [RepositoryPin] {
        var pins: [RepositoryPin] = []
        for location in locations {
            pins.append(try await repositories.pin(try RepositoryLocation(location)))
        }
        return pins
    }

    private func pulpPin(_ request: ComposeRequest) async throws -> PulpPin {
        guard let pulp else { throw Self.notConfigured(request.sourceType) }
        let findings = try await pulp.repositories(
            named: request.source, includeUnpublished: request.flags.contains(.includeUnpublishedPulpRepos))
        if let failure = findings.failure, !request.flags.contains(.ignoreAbsentPulpRepos) { throw failure }
        return PulpPin(repositories: findings.found, absent: findings.absent)
    }

    /// Returns the failure for a request of a type that this worker is not configured for. The frontend
    /// that accepted the request has more configured than this worker.
    private static func notConfigured(_ type: SourceType) -> ComposeFailure {
        ComposeFailure(
            .internal,
            "This worker is not configured for composes of the type \(type.name), unlike the frontend that took the request; the operator of this service can help."
        )
    }

    func baseArchitectures(of request: ComposeRequest) throws -> [String] { try baseArchitectures(of: request.arches) }

    func baseArchitectures(of arches: [String]) throws -> [String] {
        do throws(DepsolveError) {
            return try Depsolver.baseArchitectures(of: arches)
        } catch {
            throw ComposeFailure(error, in: PackageSet(repositories: [], lookaside: []))
        }
    }

    // MARK: Fetch

    /// Returns the packages of repositories, with the modules that they belong to.
    func packages(
        _ pins: [RepositoryPin], lookaside: [RepositoryPin], for request: ComposeRequest, meter: WorkMeter
    ) async throws -> PackageSet {
        var content = try await packages(pins, lookaside: lookaside, meter: meter)
        var metadata: [ModuleMetadata] = []
        for repository in content.repositories { metadata.append(try await repositories.modules(of: repository)) }
        content.modules = try await modularContent(try merged(metadata), lookaside: content.lookaside, for: request)
        content.notes += content.modules?.notes ?? []
        return content
    }

    func packages(_ pins: [RepositoryPin], lookaside: [RepositoryPin], meter: WorkMeter) async throws -> PackageSet {
        count(pins + lookaside, on: meter)
        return PackageSet(repositories: try await metadata(pins), lookaside: try await metadata(lookaside))
    }

    func packages(
        _ pins: [PinnedPungiCompose], lookaside: [RepositoryPin], for request: ComposeRequest, meter: WorkMeter
    ) async throws -> PackageSet {
        count(pins.flatMap(\.repositories) + lookaside, on: meter)
        let content = try await composes.content(of: pins, arches: try baseArchitectures(of: request))
        return PackageSet(
            repositories: content.repositories, lookaside: try await metadata(lookaside), listings: content.listings, notes: content.notes)
    }

    /// Returns the packages of a Koji tag or of builds, and of the modules that are taken along.
    ///
    /// - Parameter defaults: Module defaults that do not come from Koji.
    func packages(
        _ pin: KojiPin, defaults: ModuleMetadata = ModuleMetadata(), lookaside: [RepositoryPin], for request: ComposeRequest,
        meter: WorkMeter
    ) async throws -> PackageSet {
        guard let koji else { throw Self.notConfigured(request.sourceType) }
        count(lookaside, on: meter)
        let documents = try await koji.modules(
            of: pin, arches: try baseArchitectures(of: request), documents: try await scratchDocuments(of: pin))
        let listed = try await koji.packages(
            of: pin, arches: DepsolveRequest.packageArches(of: request.arches), signatures: !request.sigkeys.isEmpty, modules: documents)
        let packages = listed.packages
        let name = pin.tag.map { "The tag \($0.name)" } ?? (request.sourceType == .module ? "The list of modules" : "The list of builds")
        var content = PackageSet(
            repositories: [], lookaside: try await metadata(lookaside),
            notes: packages.isEmpty ? ["\(name) has no packages for \(request.arches.joined(separator: ", "))."] : [])
        content.notes += listed.notes
        if request.packages.isEmpty {
            // Without requested packages every package is wanted, so an unusable file fails the compose.
            content.repositories = [try await koji.metadata(of: packages)]
            content.koji = .init(pin: pin, packages: packages, repository: content.repositories[0].metadata.id)
        } else {
            let (repository, unusable) = try await koji.usableMetadata(of: packages)
            // A module is taken along as a whole, so an unusable file of one of its packages fails the compose.
            let modular = listed.modules.streams.reduce(into: Set<NEVRA>()) { $0.formUnion($1.packages) }
            let needed = unusable.map(\.package).filter { modular.contains($0.nevra) }
            if !needed.isEmpty { _ = try await koji.metadata(of: needed) }
            content.repositories = [repository]
            content.koji = .init(
                pin: pin, packages: packages, repository: repository.metadata.id,
                leftOut: LeftOutPackages(unusable: unusable, listed: packages))
            content.notes += content.koji?.leftOut?.notes ?? []
        }
        content.modules = try await modularContent(
            listed.modules.adding(defaultsOf: defaults), lookaside: content.lookaside,
            included: Set((pin.modules ?? []).compactMap { NSVC($0.id) }),
            for: request)
        content.notes += content.modules?.notes ?? []
        if let tag = pin.tag {
            let deleted = try await koji.deletedBuilds(of: tag)
            if packages.isEmpty, !deleted.isEmpty { throw Self.nothingLeft(of: tag, deleted) }
            content.notes += deleted.map {
                "The build \($0), which the tag \(tag.name) had at the event \(tag.event), was deleted in Koji since: it is not here, though an older one of that package may be."
            }
        }
        return content
    }

    private static func nothingLeft(of tag: KojiPin.Tag, _ deleted: [String]) -> ComposeFailure {
        let named = deleted.prefix(20).joined(separator: ", ") + (deleted.count > 20 ? " and \(deleted.count - 20) more" : "")
        return ComposeFailure(
            .sourceNotUsable,
            "Nothing is left of what the tag \(tag.name) had at the event \(tag.event): in Koji, \(named) \(deleted.count == 1 ? "was" : "were") deleted since. "
                + "A new request takes what the tag has now.")
    }

    /// Returns the same packages as actual files. For Koji's packages these are the signed copies, with
    /// their true checksums.
    func files(of resolution: Resolution, from content: PackageSet, for request: ComposeRequest) async throws -> (Resolution, PackageSet) {
        guard let listed = content.koji, let koji else { return (resolution, content) }
        let chosen = try await koji.chosen(
            by: resolution.records.filter { $0.repository == listed.repository }, among: listed.packages, sigkeys: request.sigkeys,
            delivery: request.delivery)
        let files = try resolution.replacingRecords { record in
            guard record.repository == listed.repository else { return record }
            guard let file = chosen.record(for: record) else {
                throw ComposeFailure(.internal, "\(record.nevra) was chosen, and its file was not looked for.")
            }
            return file
        }
        var content = content
        content.repositories = content.repositories.map { $0.metadata.id == listed.repository ? chosen.repository : $0 }
        content.koji?.repository = chosen.repository.metadata.id
        return (files, content)
    }

    private func metadata(_ pins: [RepositoryPin]) async throws -> [PinnedRepository] {
        var repositories: [PinnedRepository] = []
        for pin in pins { repositories.append(try await self.repositories.metadata(for: pin)) }
        return repositories
    }

    private func count(_ pins: [RepositoryPin], on meter: WorkMeter) {
        for pin in pins { meter.count(repositories.isOnThisHost(pin) ? .metadataHit : .metadataMiss) }
    }
}

extension KojiPin {
    /// Creates a pin with the builds that a request names, in addition to a tag or alone.
    init(tag: Tag?, modules: [Module]? = nil, of request: ComposeRequest) {
        self.init(
            tag: tag, builds: request.builds.sorted(), scratchTasks: request.scratchBuildTasks.compactMap { Int($0) }.sorted(),
            modules: modules, modulesEvent: modules == nil ? nil : request.kojiEvent)
    }
}
