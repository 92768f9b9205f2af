public import Identity
public import SystemPackage

/// The directory settings name an LDAP server, and the searches that find the groups of a person.
public struct DirectorySettings: Sendable {
    public var address: DirectoryAddress
    /// Whether a connection to an `ldap://` address is encrypted by StartTLS before anything else is sent.
    public var startTLS: Bool
    /// The certificates of the authorities for the server, in PEM. `nil` for those of the host.
    public var authorities: FilePath?
    /// The name and password to log in with. `nil` for a server that everybody may search.
    public var login: (name: String, password: Secret)?
    public var searches: [GroupSearch]
    /// The time for which groups count as known.
    public var cacheTime: Duration
    /// The time for a connection, and for each answer. A whole search has twice as long.
    public var patience: Duration

    public init(
        address: DirectoryAddress, startTLS: Bool = false, authorities: FilePath? = nil, login: (name: String, password: Secret)? = nil,
        searches: [GroupSearch], cacheTime: Duration = .seconds(300), patience: Duration = .seconds(5)
    ) {
        self.address = address
        self.startTLS = startTLS
        self.authorities = authorities
        self.login = login
        self.searches = searches
        self.cacheTime = cacheTime
        self.patience = patience
    }
}

/// The error for a setting of a directory that cannot be used. Its text follows the name of the key.
public struct DirectorySettingProblem: Error, Hashable, CustomStringConvertible {
    public let description: String
}
