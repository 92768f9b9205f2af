import ComposeFrontend
import ComposeModel
import ComposeStore
import ContentSources
import SystemPackage

// The rules for requests that follow from the configuration. ComposeFrontend decides by them, see
// Admission.
extension ServerConfiguration {
    /// The capabilities of a server with this configuration.
    var capabilities: ServerCapabilities {
        ServerCapabilities(
            hasKoji: koji != nil, allowsReference: kojiRules.allowReference, hasModuleBuildService: modules.service != nil,
            hasModuleTags: !modules.kojiTags.isEmpty, hasModuleRepositories: !modules.repositories.isEmpty,
            baseModules: modules.baseModules,
            missingSettings: Dictionary(uniqueKeysWithValues: SourceType.allCases.map { ($0, missingSettings(for: $0)) }))
    }

    /// Returns the admission of a server with this configuration.
    ///
    /// - Parameter access: The access to sources, without the service's own composes.
    func admission(access: SourceAccess, publicURL: PublicURL) -> Admission {
        Admission(
            capabilities: capabilities,
            places: ConfiguredPlaces(access: access, targets: composes.targets, publicURL: publicURL, systems: systems))
    }

    /// The offer of a frontend with this configuration.
    var offer: ServiceOffer {
        ServiceOffer(
            sourceTypes: Set(capabilities.sourceTypes.map(\.name)), targets: Set(composes.targets.keys),
            sources: Set(sources.allowedRoots.map(\.string) + sources.allowedURLs))
    }

    /// Returns the reason why a worker with this configuration cannot make the compose of `request`, in
    /// whole sentences. Returns `nil` if it can.
    ///
    /// - Parameter targets: The names of the target directories that this worker shares with the rest of
    ///   the service.
    func refusal(of request: ComposeRequest, targets: Set<String>, admission: Admission) -> String? {
        if !targets.contains(request.targetDir) {
            return composes.targets[request.targetDir] == nil
                ? "Its configuration has no target directory called \(request.targetDir)."
                : "Its target directory \(request.targetDir) is not the one that the rest of this service uses. "
                    + "The operator of this service finds the remedy in its log."
        }
        return admission.refusal(of: request)
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
