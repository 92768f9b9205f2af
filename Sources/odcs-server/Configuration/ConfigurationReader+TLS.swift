import ServerTLS
import ServiceConfiguration
import SystemPackage

/// The keys below `frontend.tls` and `auth.certificates`.
extension ConfigurationReader {
    /// Returns the TLS of the frontend, or `nil` if it serves plain HTTP. The files are read when the
    /// frontend starts, because a worker needs none of them.
    mutating func tls() throws -> ServerConfiguration.TLS? {
        let certificate = try optionalPath("frontend.tls.certificate")
        let key = try optionalPath("frontend.tls.key")
        let authorities = try optionalPath("auth.certificates.ca")
        let revoked = try optionalPath("auth.certificates.revoked_serials_file")
        let user = try string(
            "auth.certificates.user", default: CertificateProvider.Name.dn.rawValue,
            allowed: CertificateProvider.Name.allCases.map(\.rawValue))
        guard let certificate, let key else {
            guard certificate == nil, key == nil else {
                throw mistake(certificate == nil ? "frontend.tls.key" : "frontend.tls.certificate", "needs certificate and key together")
            }
            guard authorities == nil else {
                throw mistake("auth.certificates.ca", "needs frontend.tls, because a client shows its certificate when TLS begins")
            }
            return nil
        }
        guard authorities != nil || revoked == nil else {
            throw mistake("auth.certificates.revoked_serials_file", "needs auth.certificates.ca, whose certificates it names")
        }
        return ServerConfiguration.TLS(
            files: TLSFiles(
                certificate: certificate.string, key: key.string, clientAuthorities: authorities?.string, revokedSerials: revoked?.string),
            user: CertificateProvider.Name(rawValue: user) ?? .dn)
    }
}

extension ServerConfiguration {
    /// The TLS of the frontend.
    struct TLS: Hashable, Sendable {
        var files: TLSFiles
        /// The part of a client certificate that is the name of the account.
        var user: CertificateProvider.Name
    }
}
