import Foundation
public import SystemPackage

/// Where a Koji is: its hub, and the tree of files that its builds are in.
public struct KojiProfile: Hashable, Sendable {
    /// How this service shows the hub who it is.
    ///
    /// What composes need may be read by anybody: no call here opens a session. A client certificate is of use only for a hub, or a proxy before
    /// it, that asks for one already in the TLS handshake.
    public enum Authentication: Hashable, Sendable {
        case none
        case clientCertificate(ClientCertificate)
    }

    /// A certificate and its private key, without a passphrase, both PEM; they may be in one file.
    public struct ClientCertificate: Hashable, Sendable {
        public var certificate: FilePath
        public var key: FilePath

        public init(certificate: FilePath, key: FilePath) {
            self.certificate = certificate
            self.key = key
        }
    }

    /// The address of the hub's XML-RPC, as `https://koji.example.org/kojihub`.
    public let hub: String
    /// Where the tree of files is on the web.
    public var topurl: String?
    /// Where the tree of files is on this host.
    public var topdir: FilePath?
    /// PEM certificates of the authorities that the hub's certificate may be signed by; `nil` for those that the system trusts.
    public var serverCA: FilePath?
    public var authentication: Authentication
    /// Whether the hub's certificate is checked.
    public var verifiesServer: Bool

    /// The hub's address without path, for messages and logs.
    let origin: String

    /// - Throws: `.settings` when an address is not one of HTTP or HTTPS, or has a password in it.
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

    /// How the hub is called in messages.
    var hubName: String { "The Koji hub at \(origin)" }
}
