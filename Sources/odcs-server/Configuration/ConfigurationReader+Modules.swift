import ComposeModel
import ContentSources
import Koji
import Modules

/// The keys below `mbs` and `modules`.
extension ConfigurationReader {
    mutating func modules(koji: KojiProfile?, sources: ServerConfiguration.Sources) throws -> ServerConfiguration.Modules {
        let modules = ServerConfiguration.Modules(
            service: try moduleBuildServer(), kojiTags: try strings("modules.koji_tags", default: []),
            repositories: try strings("modules.repositories", default: []),
            baseModules: Set(try strings("modules.base_modules", default: ModuleBuild.baseModules.sorted())))
        if modules.service != nil, koji == nil { throw mistake("mbs.url", "needs koji.hub: the packages of its modules are in Koji") }
        if !modules.kojiTags.isEmpty, koji == nil { throw mistake("modules.koji_tags", "needs koji.hub, where the tags are") }
        if modules.repositories.isEmpty { return modules }
        let access = try SourceAccess(allowedRoots: sources.allowedRoots, allowedURLPrefixes: sources.allowedURLs)
        for repository in modules.repositories {
            do throws(ComposeFailure) {
                try access.authorize(try RepositoryLocation(repository.replacing("$basearch", with: "x86_64")))
            } catch {
                throw mistake("modules.repositories", "has \(repository), which cannot be read: \(error.message)")
            }
        }
        return modules
    }

    /// Returns the Module Build Service, or `nil` without `mbs.url`.
    private mutating func moduleBuildServer() throws -> ModuleBuildServer? {
        let url = try optionalString("mbs.url")
        let ca = try optionalPath("mbs.ca")
        guard let url else { return nil }
        try checkReadable(ca, "mbs.ca")
        do {
            return try ModuleBuildServer(url: url, caFile: ca)
        } catch {
            throw mistake("mbs.url", error.description)
        }
    }
}

extension ServerConfiguration {
    /// Whether modules can come from anywhere: a Module Build Service, Koji, or a repository.
    var hasModules: Bool { modules.service != nil || koji != nil || !modules.repositories.isEmpty }

    /// Throws if `request` names modules that no worker with this configuration could find.
    func checkModules(of request: ComposeRequest) throws(ComposeFailure) {
        let asked = [
            ("modular_koji_tags", !request.modularKojiTags.isEmpty), ("scratch_modules", !request.scratchModules.isEmpty),
            ("module_defaults_url", request.moduleDefaultsURL != nil),
        ]
        if let member = asked.first(where: \.1)?.0, [.repo, .pulp, .pungiCompose].contains(request.sourceType) {
            throw ComposeFailure(
                .sourceNotUsable,
                "\(member) cannot be used with the source type \(request.sourceType.name), where it would have no effect: modules are taken along with "
                    + "tag, build and module.")
        }
        if !request.modularKojiTags.isEmpty, koji == nil {
            throw Self.missing("koji.hub", for: "modular_koji_tags")
        }
        if !request.scratchModules.isEmpty, modules.service == nil {
            throw Self.missing("mbs.url", for: "scratch_modules")
        }
        let hasPlaces = modules.service != nil || !modules.kojiTags.isEmpty || !modules.repositories.isEmpty
        if request.sourceType == .module, !request.source.isEmpty, request.modularKojiTags.isEmpty, !hasPlaces {
            throw ComposeFailure(
                .sourceNotUsable,
                "This server knows of no place where modules come from: name tags of Koji as modular_koji_tags. "
                    + "Its configuration has none of mbs.url, modules.koji_tags and modules.repositories.")
        }
    }

    private static func missing(_ key: String, for member: String) -> ComposeFailure {
        ComposeFailure(
            .sourceNotUsable, "\(member) cannot be used on this server: the setting \(key) is missing in its configuration.")
    }
}
