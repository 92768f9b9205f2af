public import ContentSources
public import Modules

/// Module sources are the places in which modules are found if a request does not name Koji tags for
/// them.
public struct ModuleSources: Sendable {
    /// `nil` if no service is configured.
    let service: ModuleBuildService?
    /// The tags of Koji that have modules.
    let kojiTags: [String]
    /// The locations of repositories with modules. `$basearch` stands for each architecture.
    let repositories: [String]
    /// The names of modules that every machine has and no compose contains. Example: `platform`.
    let baseModules: Set<String>

    public init(
        service: ModuleBuildService? = nil, kojiTags: [String] = [], repositories: [String] = [],
        baseModules: Set<String> = ModuleBuild.baseModules
    ) {
        self.service = service
        self.kojiTags = kojiTags
        self.repositories = repositories
        self.baseModules = baseModules
    }
}
