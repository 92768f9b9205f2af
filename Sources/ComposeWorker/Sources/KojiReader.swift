import ComposeModel
import Compression
import ContentSources
import Depsolve
import Modules
import Repodata

/// A Koji reader brings the packages that Koji has to this host.
struct KojiReader: Sendable {
    let source: KojiSource
    let repositories: RepositoryReader
    let modules: ModuleReader

    /// Returns the packages of a Koji tag or of builds, and of the modules that are taken along.
    ///
    /// - Parameter defaults: Module defaults that do not come from Koji.
    func packages(
        _ pin: KojiPin, defaults: ModuleMetadata = ModuleMetadata(), lookaside: [RepositoryPin], for request: ComposeRequest,
        meter: WorkMeter
    ) async throws -> PackageSet {
        repositories.count(lookaside, on: meter)
        let documents = try await source.modules(
            of: pin, arches: try request.baseArchitectures, documents: try await modules.scratchDocuments(of: pin))
        let listed = try await source.packages(
            of: pin, arches: DepsolveRequest.packageArches(of: request.arches), signatures: Self.listsSignatures(for: request),
            modules: documents)
        let packages = listed.packages
        // It is asked after the listing, so that a build that is deleted in between is not missed.
        async let deletedBuilds = deletedBuilds(of: pin.tag)
        let name = pin.tag.map { "The tag \($0.name)" } ?? (request.sourceType == .module ? "The list of modules" : "The list of builds")
        var content = PackageSet(
            repositories: [], lookaside: try await repositories.metadata(lookaside),
            notes: packages.isEmpty ? ["\(name) has no packages for \(request.arches.joined(separator: ", "))."] : [])
        content.notes += listed.notes
        if request.packages.isEmpty {
            // Without requested packages every package is wanted, so an unusable file fails the compose.
            content.repositories = [try await source.metadata(of: packages, answering: listed.question)]
            content.koji = .init(pin: pin, packages: packages, repository: content.repositories[0].metadata.id)
        } else {
            let (repository, unusable) = try await source.usableMetadata(of: packages, answering: listed.question)
            // A module is taken along as a whole, so an unusable file of one of its packages fails the compose.
            let modular = listed.modules.streams.reduce(into: Set<NEVRA>()) { $0.formUnion($1.packages) }
            let needed = unusable.map(\.package).filter { modular.contains($0.nevra) }
            if !needed.isEmpty { _ = try await source.metadata(of: needed) }
            content.repositories = [repository]
            content.koji = .init(
                pin: pin, packages: packages, repository: repository.metadata.id,
                leftOut: LeftOutPackages(unusable: unusable, listed: packages))
            content.notes += content.koji?.leftOut?.notes ?? []
        }
        content.modules = try await modules.modularContent(
            listed.modules.adding(defaultsOf: defaults), lookaside: content.lookaside,
            included: Set((pin.modules ?? []).compactMap { NSVC($0.id) }),
            for: request)
        content.notes += content.modules?.notes ?? []
        if let tag = pin.tag {
            let deleted = try await deletedBuilds
            if packages.isEmpty, !deleted.isEmpty { throw Self.nothingLeft(of: tag, deleted) }
            content.notes += deleted.map {
                "The build \($0), which the tag \(tag.name) had at the event \(tag.event), was deleted in Koji since: it is not here, though an older one of that package may be."
            }
        }
        return content
    }

    /// Returns whether the signatures of all packages are listed. If the request names packages, it is
    /// cheaper to ask for the signatures of the chosen ones later.
    private static func listsSignatures(for request: ComposeRequest) -> Bool { !request.sigkeys.isEmpty && request.packages.isEmpty }

    private func deletedBuilds(of tag: KojiPin.Tag?) async throws -> [String] {
        guard let tag else { return [] }
        return try await source.deletedBuilds(of: tag)
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
        guard let listed = content.koji else { return (resolution, content) }
        let chosen = try await source.chosen(
            by: resolution.records.filter { $0.repository == listed.repository }, among: listed.packages, sigkeys: request.sigkeys,
            areSigned: Self.listsSignatures(for: request), delivery: request.delivery)
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
        content.koji?.origins = try await origins(of: chosen, pinnedBy: listed.pin)
        return (files, content)
    }

    /// Returns the origins of files, by their checksums.
    private func origins(of chosen: ChosenPackages, pinnedBy pin: KojiPin) async throws -> [Checksum: KojiOrigin] {
        var ways: [KojiPackage.Tag: [String]] = [:]
        if let tag = pin.tag { ways = try await source.ways(from: tag, to: Set(chosen.copies.values.compactMap(\.package.tag))) }
        var origins: [Checksum: KojiOrigin] = [:]
        for copy in chosen.copies.values {
            if let checksum = copy.sha256 { origins[checksum] = KojiOrigin(copy, ways: ways) }
        }
        return origins
    }
}
