/// What the sources of a compose were at one moment: whoever has it can read the same content again, as far as it is still kept.
public struct ComposePins: Hashable, Sendable, Codable {
    /// Of the source type `repo`.
    public var repositories: [ComposeSpecification.Repository]
    /// What satisfies requirements and is no part of the result, for every source type.
    public var lookaside: [ComposeSpecification.Repository]
    /// Of the source type `pungi_compose`.
    public var pungiComposes: [PungiComposePin]?
    /// Of the source type `pulp`.
    public var pulp: PulpPin?
    /// Of the source type `raw_config`.
    public var rawConfig: RawConfigPin?
    /// Of the source types `tag` and `build`, and of `module` as far as its modules are in Koji.
    public var koji: KojiPin?
    /// Of the source type `module`: name, stream, version and context of each build, sorted.
    public var modules: [String]?
    /// Where the request names defaults of modules.
    public var moduleDefaults: ModuleDefaultsPin?

    public init(
        repositories: [ComposeSpecification.Repository] = [], lookaside: [ComposeSpecification.Repository] = [],
        pungiComposes: [PungiComposePin]? = nil, pulp: PulpPin? = nil, rawConfig: RawConfigPin? = nil, koji: KojiPin? = nil,
        modules: [String]? = nil, moduleDefaults: ModuleDefaultsPin? = nil
    ) {
        self.repositories = repositories
        self.lookaside = lookaside
        self.pungiComposes = pungiComposes
        self.pulp = pulp
        self.rawConfig = rawConfig
        self.koji = koji
        self.modules = modules
        self.moduleDefaults = moduleDefaults
    }
}
