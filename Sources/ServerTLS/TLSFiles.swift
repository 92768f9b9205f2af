/// The files that the TLS of the service is made of, all in PEM form but the last one.
public struct TLSFiles: Hashable, Sendable {
    /// The certificate of the service, with those of its issuers behind it.
    public var certificate: String
    /// The key of the certificate. It can be the same file.
    public var key: String
    /// The authorities whose client certificates are accepted. `nil` if clients are not asked for one.
    public var clientAuthorities: String?
    /// The serial numbers of revoked client certificates, one a line in hexadecimal. `#` begins a
    /// comment.
    public var revokedSerials: String?

    public init(certificate: String, key: String, clientAuthorities: String? = nil, revokedSerials: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthorities = clientAuthorities
        self.revokedSerials = revokedSerials
    }

    var all: [String] { [certificate, key, clientAuthorities, revokedSerials].compactMap(\.self) }
}

/// The error for a file that TLS cannot be made of.
public struct TLSFileProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// A whole sentence without its final period.
    public let description: String

    init(_ description: String) { self.description = description }
}
