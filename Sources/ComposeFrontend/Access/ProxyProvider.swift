import HTTPTypes
public import Identity

/// A trusted proxy is a proxy in front of the service that recognizes senders itself, and names them in
/// headers. It must remove these headers from the requests of its clients.
public struct TrustedProxy: Sendable {
    /// The addresses of the proxy. The headers of all other senders are ignored.
    public var addresses: [AddressRange]
    /// The header with the name of the sender. Example: `X-Remote-User`.
    public var userHeader: String
    /// The header with the groups of the sender, separated by commas. `nil` if there is none.
    public var groupsHeader: String?
    /// The header with a secret that the proxy adds. Other programs of its address do
    /// not know it.
    public var secretHeader: String?
    public var secret: Secret?

    public init(
        addresses: [AddressRange], userHeader: String = "X-Remote-User", groupsHeader: String? = nil, secretHeader: String? = nil,
        secret: Secret? = nil
    ) {
        self.addresses = addresses
        self.userHeader = userHeader
        self.groupsHeader = groupsHeader
        self.secretHeader = secretHeader
        self.secret = secret
    }

    /// Returns the values of the proxy's headers, by their names in lower case. Returns nothing if the
    /// request is not from the proxy, or if the proxy does not name a sender.
    ///
    /// - Throws: `CredentialFailure.malformed` if a header occurs twice. The client may have sent one of
    ///   them.
    func headers(of fields: HTTPFields, from peer: String?) throws(CredentialFailure) -> [String: String] {
        guard let peer, addresses.contains(where: { $0.contains(peer) }) else { return [:] }
        var found: [String: String] = [:]
        for name in [userHeader, groupsHeader, secretHeader].compactMap(\.self) {
            guard let field = HTTPField.Name(name) else { continue }
            let values = fields[values: field]
            guard values.count <= 1 else {
                throw .malformed("The request has \(values.count) \(name) headers. The proxy must remove those of its clients.")
            }
            found[name.lowercased()] = values.first
        }
        // Apache sends the text (null) for a variable that is not set.
        let user = found[userHeader.lowercased()] ?? ""
        return user.isEmpty || user == "(null)" ? [:] : found
    }
}

/// An identity provider that believes the headers of a trusted proxy.
public struct ProxyProvider: IdentityProvider {
    public let name = "proxy"
    public let challenge: String? = nil

    private let proxy: TrustedProxy

    public init(_ proxy: TrustedProxy) {
        self.proxy = proxy
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        let headers = credentials.proxyHeaders
        guard let user = headers[proxy.userHeader.lowercased()] else { return nil }
        if let secret = proxy.secret {
            let sent = proxy.secretHeader.flatMap { headers[$0.lowercased()] } ?? ""
            guard Self.areEqual(sent, secret.text) else { throw .wrong("The proxy did not show its secret.") }
        }
        let groups = proxy.groupsHeader.flatMap { headers[$0.lowercased()] } ?? ""
        let names = groups.split(separator: ",").map { String($0.trimmingPrefix { $0 == " " }) }.map { name in
            String(name.reversed().drop { $0 == " " }.reversed())
        }
        do throws(AccountName.Problem) {
            return Identity(account: try AccountName(user), provider: name, groups: Set(names.filter { !$0.isEmpty }))
        } catch {
            throw .wrong("The name that the proxy sends \(error.reason).")
        }
    }

    /// Compares two texts in a time that does not depend on their first difference.
    private static func areEqual(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
