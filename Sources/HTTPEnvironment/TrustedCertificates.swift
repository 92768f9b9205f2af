import Foundation
import NIOSSL

/// The certificates that servers' certificates are checked against. They come from files that the
/// environment names, as for OpenSSL, curl and Python.
struct TrustedCertificates: Hashable, Sendable {
    /// The certificates of a PEM file.
    private let ofFile: [NIOSSLCertificate]
    /// A directory of PEM files whose names are made by `openssl rehash`.
    private let directory: String?

    /// The places where distributions keep the system's certificates, one file with all of them.
    private static let systemFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    private static let systemDirectories = ["/etc/ssl/certs"]

    /// Returns `nil` if the environment names no certificates. The system's certificates are trusted then.
    ///
    /// - Parameters:
    ///   - bundle: The variable that names all certificates to trust. It has precedence over the two
    ///     variables of OpenSSL. The Python client's is `REQUESTS_CA_BUNDLE`.
    ///   - variables: The environment. `SSL_CERT_FILE` replaces the system's file. The first existing
    ///     directory of `SSL_CERT_DIR` replaces the system's directory.
    init?(bundle: String?, in variables: [String: String]) throws(OutboundProblem) {
        func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let bundle, let path = value(bundle) {
            directory = Self.isDirectory(path) ? path : nil
            ofFile = directory == nil ? try Self.read(path, bundle) : []
            return
        }
        let (file, directories) = (value("SSL_CERT_FILE"), value("SSL_CERT_DIR"))
        if file == nil, directories == nil { return nil }
        if let file {
            ofFile = try Self.read(file, "SSL_CERT_FILE")
        } else {
            // A system need not have one of these files.
            ofFile = Self.systemFiles.lazy.compactMap { try? NIOSSLCertificate.fromPEMFile($0) }.first ?? []
        }
        directory = (directories?.split(separator: ":").map(String.init) ?? Self.systemDirectories).first(where: Self.isDirectory)
    }

    /// Makes `tls` check servers against these certificates.
    func apply(to tls: inout TLSConfiguration) {
        tls.trustRoots = directory.map { .file($0) } ?? .certificates([])
        tls.additionalTrustRoots.append(.certificates(ofFile))
    }

    private static func read(_ path: String, _ variable: String) throws(OutboundProblem) -> [NIOSSLCertificate] {
        let certificates = try? NIOSSLCertificate.fromPEMFile(path)
        guard let certificates, !certificates.isEmpty else {
            throw OutboundProblem("the variable \(variable) names a file that does not exist, or that has no certificate in PEM form")
        }
        return certificates
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}

extension TLSConfiguration {
    /// Whether the configuration itself names the certificates to trust, or turns the check off.
    var namesTrustRoots: Bool {
        if case .none = certificateVerification { return true }
        return if case .default = trustRoots ?? .default { false } else { true }
    }
}
