import NIOSSL
import SystemPackage

extension KojiProfile {
    /// Reads the certificates that it names, without keeping them.
    /// - Throws: `.settings` when one of them cannot be read.
    public func checkCertificates() throws(KojiError) { _ = try tlsConfiguration() }

    /// The TLS settings for the hub, with the certificates that the profile names.
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

    /// The file is not named: the message may be seen by people who have no account here.
    private static func unreadable(_ setting: String, _ what: String) -> KojiError {
        KojiError(.settings, "The file that the setting \(setting) names cannot be read as \(what).")
    }
}
