public import ContentSources
public import Modules

/// Where modules come from that a request does not name the tags of.
public struct ModuleSources: Sendable {
    /// `nil` where none is configured.
    let service: ModuleBuildService?
    /// Tags of Koji.
    let kojiTags: [String]
    /// Where repositories with modules are; `$basearch` stands for each architecture.
    let repositories: [String]
    /// What every machine has and no compose contains.
    let baseModules: Set<String>

    public init(
        service: ModuleBuildService? = nil, kojiTags: [String] = [], repositories: [String] = [],
        baseModules: Set<String> = ModuleChoice.Rules().baseModules
    ) {
        self.service = service
        self.kojiTags = kojiTags
        self.repositories = repositories
        self.baseModules = baseModules
    }
}
