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
    /// Of the source types `tag` and `build`.
    public var koji: KojiPin?

    public init(
        repositories: [ComposeSpecification.Repository] = [], lookaside: [ComposeSpecification.Repository] = [],
        pungiComposes: [PungiComposePin]? = nil, pulp: PulpPin? = nil, rawConfig: RawConfigPin? = nil, koji: KojiPin? = nil
    ) {
        self.repositories = repositories
        self.lookaside = lookaside
        self.pungiComposes = pungiComposes
        self.pulp = pulp
        self.rawConfig = rawConfig
        self.koji = koji
    }
}
