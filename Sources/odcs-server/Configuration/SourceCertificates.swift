import NIOSSL
import SystemPackage

extension ServerConfiguration.Sources {
    /// Returns the TLS settings of `sources`, or `nil` if no key sets any.
    func tlsConfiguration() throws(UnreadableCertificate) -> TLSConfiguration? {
        if ca == nil, certificate == nil { return nil }
        var tls = TLSConfiguration.makeClientConfiguration()
        if let ca {
            let authorities = try? NIOSSLCertificate.fromPEMFile(ca.string)
            guard let authorities, !authorities.isEmpty else { throw UnreadableCertificate(key: "sources.ca", what: "PEM certificates") }
            tls.trustRoots = .certificates(authorities)
        }
        if let certificate, let key {
            let chain = try? NIOSSLCertificate.fromPEMFile(certificate.string)
            guard let chain, !chain.isEmpty else { throw UnreadableCertificate(key: "sources.certificate", what: "a PEM certificate") }
            guard let privateKey = try? NIOSSLPrivateKey(file: key.string, format: .pem) else {
                throw UnreadableCertificate(key: "sources.key", what: "a PEM private key without a passphrase")
            }
            tls.certificateChain = chain.map { .certificate($0) }
            tls.privateKey = .privateKey(privateKey)
        }
        return tls
    }
}

/// The error for a file of certificates or keys that cannot be read.
struct UnreadableCertificate: Error, CustomStringConvertible {
    let key: String
    let what: String

    /// The text that follows the key in an error.
    var message: String { "names a file that cannot be read as \(what)" }
    var description: String { "The setting \(key) \(message)." }
}
