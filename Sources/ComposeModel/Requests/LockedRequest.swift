/// The members of a request that, together with the sources, determine the packages of a compose.
/// `compose.lock.json` has them under the names of the request.
public struct LockedRequest: Hashable, Sendable, Codable {
    public let packages: [String]
    public let arches: [String]
    public let flags: [String]
    public let multilibArches: [String]
    public let multilibMethods: [String]
    public let sigkeys: [String]

    enum CodingKeys: String, CodingKey {
        case packages, arches, flags, sigkeys
        case multilibArches = "multilib_arches"
        case multilibMethods = "multilib_method"
    }

    public init(_ request: ComposeRequest) {
        packages = request.packages
        arches = request.arches
        flags = request.flags.names
        multilibArches = request.multilibArches
        multilibMethods = request.multilibMethods.names
        sigkeys = request.sigkeys
    }
}
