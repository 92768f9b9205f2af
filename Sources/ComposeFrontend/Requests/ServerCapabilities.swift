public import ComposeModel

/// Server capabilities are the systems and rules of a server's configuration that decide which requests
/// it can fulfil. Example: without a Koji, it makes no composes of tags.
///
/// The frontend refuses other requests at once. A worker leaves them to other workers.
public struct ServerCapabilities: Hashable, Sendable {
    /// Whether the server has a Koji (`koji.hub`).
    public var hasKoji: Bool
    /// Whether composes may refer to packages in Koji instead of containing them (`koji.allow_reference`).
    public var allowsReference: Bool
    /// Whether the server has a Module Build Service (`mbs.url`).
    public var hasModuleBuildService: Bool
    /// Whether all requests can use modules of Koji tags (`modules.koji_tags`).
    public var hasModuleTags: Bool
    /// Whether all requests can use modules of repositories (`modules.repositories`).
    public var hasModuleRepositories: Bool
    /// The modules that every machine has (`modules.base_modules`). No compose contains them.
    public var baseModules: Set<String>
    /// The settings that the configuration lacks, by the source type that needs them. If a type lacks
    /// several, one of them is enough. A type that lacks none may be absent.
    public var missingSettings: [SourceType: [String]]

    public init(
        hasKoji: Bool = false, allowsReference: Bool = false, hasModuleBuildService: Bool = false, hasModuleTags: Bool = false,
        hasModuleRepositories: Bool = false, baseModules: Set<String> = ["platform", "bootstrap"],
        missingSettings: [SourceType: [String]] = [:]
    ) {
        self.hasKoji = hasKoji
        self.allowsReference = allowsReference
        self.hasModuleBuildService = hasModuleBuildService
        self.hasModuleTags = hasModuleTags
        self.hasModuleRepositories = hasModuleRepositories
        self.baseModules = baseModules
        self.missingSettings = missingSettings
    }

    /// The source types that this server can compose from.
    public var sourceTypes: [SourceType] { SourceType.allCases.filter { refusal(of: $0) == nil } }

    /// Returns why this server cannot compose from a source type: the missing setting. Returns `nil` if it
    /// can.
    func refusal(of type: SourceType) -> String? {
        guard let missing = missingSettings[type], let last = missing.last else { return nil }
        let need =
            missing.count == 1
            ? "the setting \(last) is missing in its configuration."
            : "of the settings \(missing.dropLast().joined(separator: ", ")) and \(last), at least one is needed in its configuration."
        return "This server makes no composes of the source type \(type.name): \(need)"
    }

    /// Returns why this server cannot find the modules that `request` names. Returns `nil` if it can.
    func refusalOfModules(of request: ComposeRequest) -> String? {
        let asked = [
            ("modular_koji_tags", !request.modularKojiTags.isEmpty), ("scratch_modules", !request.scratchModules.isEmpty),
            ("module_defaults_url", request.moduleDefaultsURL != nil),
        ]
        if let member = asked.first(where: \.1)?.0, !request.sourceType.traits.takesModuleOptions {
            return
                "\(member) cannot be used with the source type \(request.sourceType.name), where it would have no effect: modules are taken along with "
                + "tag, build and module."
        }
        if !request.modularKojiTags.isEmpty, !hasKoji {
            return "modular_koji_tags cannot be used on this server: the setting koji.hub is missing in its configuration."
        }
        if !request.scratchModules.isEmpty, !hasModuleBuildService {
            return "scratch_modules cannot be used on this server: the setting mbs.url is missing in its configuration."
        }
        let hasPlaces = hasModuleBuildService || hasModuleTags || hasModuleRepositories
        if request.sourceType == .module, !request.source.isEmpty, request.modularKojiTags.isEmpty, !hasPlaces {
            return
                "This server knows of no place where modules come from: name tags of Koji as modular_koji_tags. "
                + "Its configuration has none of mbs.url, modules.koji_tags and modules.repositories."
        }
        return nil
    }
}
