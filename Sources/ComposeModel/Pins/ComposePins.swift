/// The state of a compose's sources at one moment. The same content can be read again later, as long as
/// it is still kept.
public struct ComposePins: Hashable, Sendable, Codable {
    /// The repositories of the source type `repo`.
    public var repositories: [ComposeSpecification.Repository]
    /// The repositories that satisfy requirements but are not part of the result. Every source type can
    /// have them.
    public var lookaside: [ComposeSpecification.Repository]
    /// The variants of the source type `pungi_compose`.
    public var pungiComposes: [PungiComposePin]?
    /// The repositories of the source type `pulp`.
    public var pulp: PulpPin?
    /// The Pungi configuration of the source type `raw_config`.
    public var rawConfig: RawConfigPin?
    /// The tag or builds of the source types `tag` and `build`. The source type `module` has it for modules
    /// that are in Koji.
    public var koji: KojiPin?
    /// The builds of the source type `module`, sorted. Each is a name, stream, version and context.
    /// Example: `testmodule:master:20180405123256:c2c572ec`.
    public var modules: [String]?
    /// The module defaults, if the request names any.
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
