import Foundation
public import SystemPackage

/// The addresses of a Koji instance: its hub, and the file tree that holds its builds.
public struct KojiProfile: Hashable, Sendable {
    /// The way in which this service authenticates itself to the hub.
    ///
    /// The data that composes need is public, and no call here opens a session. A client certificate is
    /// useful only if the hub, or a proxy in front of it, asks for one in the TLS handshake.
    public enum Authentication: Hashable, Sendable {
        case none
        case clientCertificate(ClientCertificate)
    }

    /// A certificate and its private key. Both are PEM, the key has no passphrase, and one file may hold
    /// both.
    public struct ClientCertificate: Hashable, Sendable {
        public var certificate: FilePath
        public var key: FilePath

        public init(certificate: FilePath, key: FilePath) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The address of the hub's XML-RPC. Example: `https://koji.example.org/kojihub`.
    public let hub: String
    /// The address of the file tree on the web, without a slash at its end.
    public var topurl: String?
    /// The directory of the file tree on this host.
    public var topdir: FilePath?
    /// A file with PEM certificates of the authorities that may sign the hub's certificate. `nil` selects
    /// those that the system trusts.
    public var serverCA: FilePath?
    public var authentication: Authentication
    /// Whether the hub's certificate is checked.
    public var verifiesServer: Bool

    /// The hub's address without its path, for messages and logs.
    let origin: String

    /// - Throws: `.settings` when an address does not use HTTP or HTTPS, or contains a user name or a
    ///   password.
    public init(
        hub: String, topurl: String? = nil, topdir: FilePath? = nil, serverCA: FilePath? = nil, authentication: Authentication = .none,
        verifiesServer: Bool = true
    ) throws(KojiError) {
        let components = try Self.address(hub, of: "the hub")
        if let topurl { _ = try Self.address(topurl, of: "the files (topurl)") }
        self.hub = hub
        self.topurl = topurl.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.topdir = topdir
        self.serverCA = serverCA
        self.authentication = authentication
        self.verifiesServer = verifiesServer
        var origin = URLComponents()
        origin.scheme = components.scheme
        origin.host = components.host
        origin.port = components.port
        self.origin = origin.string ?? "(no address)"
    }

    private static func address(_ text: String, of what: String) throws(KojiError) -> URLComponents {
        guard let address = URLComponents(string: text), let scheme = address.scheme?.lowercased(), scheme == "http" || scheme == "https",
            let host = address.host, !host.isEmpty
        else {
            throw KojiError(.settings, "The address of \(what), \"\(Excerpt.of(text))\", is not one that begins with http:// or https://.")
        }
        guard address.user == nil, address.password == nil else {
            throw KojiError(.settings, "The address of \(what) has a user name in it; a hub is shown a client certificate or nothing.")
        }
        return address
    }

    /// The name of the hub in messages, at the beginning of a sentence.
    var hubName: String { "The Koji hub at \(origin)" }
}
