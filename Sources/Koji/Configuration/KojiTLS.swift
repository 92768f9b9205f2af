import NIOSSL
import SystemPackage

extension KojiProfile {
    /// Reads the certificates that the profile names, without keeping them.
    ///
    /// - Throws: `.settings` when one of them cannot be read.
    public func checkCertificates() throws(KojiError) { _ = try tlsConfiguration() }

    /// Returns the TLS settings for the hub, with the certificates that the profile names.
    ///
    /// - Throws: `.settings` when one of them cannot be read.
    func tlsConfiguration() throws(KojiError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if !verifiesServer { configuration.certificateVerification = .none }
        if let serverCA {
            let authorities = try Self.read("serverca", "PEM certificates") { try NIOSSLCertificate.fromPEMFile(serverCA.string) }
            guard !authorities.isEmpty else { throw Self.unreadable("serverca", "PEM certificates") }
            configuration.trustRoots = .certificates(authorities)
        }
        if case .clientCertificate(let client) = authentication {
            let chain = try Self.read("cert", "a PEM certificate") { try NIOSSLCertificate.fromPEMFile(client.certificate.string) }
            guard !chain.isEmpty else { throw Self.unreadable("cert", "a PEM certificate") }
            configuration.certificateChain = chain.map { .certificate($0) }
            let key = try Self.read("cert", "a PEM private key without a passphrase") {
                try NIOSSLPrivateKey(file: client.key.string, format: .pem)
            }
            configuration.privateKey = .privateKey(key)
        }
        return configuration
    }

    private static func read<Value>(_ setting: String, _ what: String, _ body: () throws -> Value) throws(KojiError) -> Value {
        do { return try body() } catch { throw unreadable(setting, what) }
    }

    /// Makes the error for a certificate that cannot be read. The message does not name the file, because
    /// people without an account on this host may see it.
    private static func unreadable(_ setting: String, _ what: String) -> KojiError {
        KojiError(.settings, "The file that the setting \(setting) names cannot be read as \(what).")
    }
}
