import ComposeModel
import ComposeStore
import ContentSources
import SystemPackage

// The rules for requests that follow from the configuration. The frontend refuses other requests at
// once. A worker leaves them to other workers.
extension ServerConfiguration {
    /// The source types that this server cannot compose from, each with the reason: the missing setting.
    var refusedSourceTypes: [SourceType: String] {
        var refused: [SourceType: String] = [:]
        if !hasModules {
            refused[.module] =
                "This server makes no composes of the source type module: of the settings mbs.url, koji.hub and modules.repositories, at least one is "
                + "needed in its configuration."
        }
        if koji == nil {
            for type in [SourceType.tag, .build] {
                refused[type] =
                    "This server makes no composes of the source type \(type.name): the setting koji.hub is missing in its configuration."
            }
        }
        if pulp == nil {
            refused[.pulp] = "This server makes no composes of the source type pulp: the setting pulp.url is missing in its configuration."
        }
        if pungi == nil {
            refused[.rawConfig] =
                "This server makes no composes of the source type raw_config: the setting raw_config.pungi_koji is missing in its configuration."
        }
        return refused
    }

    /// Throws if no worker with this configuration could use a source or a module that `request` names.
    func check(_ request: ComposeRequest, access: SourceAccess, publicURL: String?) throws(ComposeFailure) {
        let hasLocations = request.sourceType == .repo || request.sourceType == .pungiCompose
        let locations =
            (hasLocations ? request.source : []) + request.lookasideRepos + (request.moduleDefaultsURL.map { [$0] } ?? [])
        if !locations.isEmpty {
            let access = try access.publishing(composes.targets, publicURL: publicURL)
            for location in locations { try access.authorize(try RepositoryLocation(location)) }
        }
        try checkModules(of: request)
        if request.sourceType == .pulp { try pulp?.check(request.source) }
    }

    /// The offer of a frontend with this configuration.
    var offer: ServiceOffer {
        ServiceOffer(
            sourceTypes: Set(SourceType.allCases.filter { refusedSourceTypes[$0] == nil }.map(\.name)), targets: Set(composes.targets.keys),
            sources: Set(sources.allowedRoots.map(\.string) + sources.allowedURLs))
    }

    /// Returns the reason why a worker with this configuration cannot make the compose of `request`, in
    /// whole sentences. Returns `nil` if it can.
    ///
    /// - Parameter targets: The names of the target directories that this worker shares with the rest of
    ///   the service.
    func refusal(of request: ComposeRequest, targets: Set<String>, access: SourceAccess, publicURL: String) -> String? {
        if !targets.contains(request.targetDir) {
            return composes.targets[request.targetDir] == nil
                ? "Its configuration has no target directory called \(request.targetDir)."
                : "Its target directory \(request.targetDir) is not the one that the rest of this service uses."
        }
        if let reason = refusedSourceTypes[request.sourceType] { return reason }
        do throws(ComposeFailure) {
            try check(request, access: access, publicURL: publicURL)
            return nil
        } catch {
            return error.message
        }
    }

    /// Returns the parts of a frontend's offer that this worker's configuration lacks, as sentences.
    func lacks(of offer: ServiceOffer, access: SourceAccess) -> [String] {
        let types = offer.sourceTypes.subtracting(self.offer.sourceTypes).sorted()
        let targets = offer.targets.subtracting(self.offer.targets).sorted()
        let sources = offer.sources.subtracting(self.offer.sources).sorted().filter { source in
            do {
                try access.authorize(try RepositoryLocation(source))
                return false
            } catch {
                return true
            }
        }
        return types.map { "The frontend takes composes of the source type \($0), for which this worker has no configuration." }
            + targets.map { "The frontend takes composes for the target directory \($0), which this worker's configuration does not have." }
            + sources.map { "The frontend takes composes of \($0), which this worker's configuration does not allow (sources)." }
    }
}
