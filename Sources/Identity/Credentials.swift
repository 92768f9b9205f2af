/// Credentials are everything in a request that shows who sends it, whichever way it came.
public struct Credentials: Sendable {
    /// The value of `Authorization`, or of `X-API-Key`, which counts as a bearer token.
    public enum Authorization: Sendable {
        case bearer(Secret)
        /// A token of SPNEGO (RFC 4559), decoded from base64.
        case negotiate([UInt8])
        case basic(user: String, password: Secret)
    }

    public var authorization: Authorization?
    /// The certificate of the connection. The TLS layer has verified it.
    public var certificate: ClientCertificate?
    /// The values of those headers that a trusted proxy sets, by their names in lower case. Empty if the
    /// request did not come from such a proxy.
    public var proxyHeaders: [String: String]
    /// The address of the sender, as limits count it. Example: `192.0.2.7`. `nil` without a connection.
    public var address: String?

    public init(
        authorization: Authorization? = nil, certificate: ClientCertificate? = nil, proxyHeaders: [String: String] = [:],
        address: String? = nil
    ) {
        self.authorization = authorization
        self.certificate = certificate
        self.proxyHeaders = proxyHeaders
        self.address = address
    }

    /// Whether the request shows nothing about its sender.
    public var isEmpty: Bool { authorization == nil && certificate == nil && proxyHeaders.isEmpty }
}

/// A client certificate is the verified certificate of a TLS connection, as far as it names its owner.
public struct ClientCertificate: Hashable, Sendable {
    /// The subject as RFC 4514 writes it. Example: `UID=osbs,OU=users,DC=example,DC=org`.
    public var subject: String
    /// The common name of the subject, if it has exactly one.
    public var commonName: String?
    /// The mail addresses among the alternative names.
    public var emails: [String]
    /// The URIs among the alternative names.
    public var uris: [String]
    /// The serial number in lower-case hexadecimal, without leading zeros.
    public var serial: String

    public init(subject: String, commonName: String? = nil, emails: [String] = [], uris: [String] = [], serial: String) {
        self.subject = subject
        self.commonName = commonName
        self.emails = emails
        self.uris = uris
        self.serial = serial
    }
}
