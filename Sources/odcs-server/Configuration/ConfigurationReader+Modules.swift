import ComposeModel
import ContentSources
import Koji
import Modules
import ServiceConfiguration

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
