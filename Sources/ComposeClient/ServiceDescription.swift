/// What a service says of itself. All but the version may be left out by it.
public struct ServiceDescription: Hashable, Sendable, Codable {
    public var version: String
    public var authBackend: String?
    /// Who may ask for composes; its form depends on the service's version.
    public var allowedClients: JSONValue?
    /// The raw configurations that a `raw_config` compose can name.
    public var rawConfigURLs: JSONValue?
    public var sigkeys: [String]?

    enum CodingKeys: String, CodingKey {
        case version, sigkeys
        case authBackend = "auth_backend"
        case allowedClients = "allowed_clients"
        case rawConfigURLs = "raw_config_urls"
    }
}
