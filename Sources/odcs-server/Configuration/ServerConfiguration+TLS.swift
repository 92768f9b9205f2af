import ServerTLS

extension ServerConfiguration {
    /// The TLS of the frontend.
    struct TLS: Hashable, Sendable {
        var files: TLSFiles
        /// The part of a client certificate that is the name of the account.
        var user: CertificateProvider.Name
    }
}
