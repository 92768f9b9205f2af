/// A service description is a service's answer about itself. The service may leave out every member
/// except the version.
public struct ServiceDescription: Hashable, Sendable, Codable {
    public var version: String
    public var authBackend: String?
    /// The clients that may ask for composes. The form of the value depends on the service's version.
    public var allowedClients: JSONValue?
    /// The raw configurations that a `raw_config` compose can name.
    public var rawConfigURLs: JSONValue?
    public var sigkeys: [String]?
    /// The abilities that the original ODCS lacks. Example: `dry-run`.
    public var features: [String]?

    enum CodingKeys: String, CodingKey {
        case version, sigkeys, features
        case authBackend = "auth_backend"
        case allowedClients = "allowed_clients"
        case rawConfigURLs = "raw_config_urls"
    }
}
