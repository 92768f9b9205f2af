import Foundation
import NIOSSL

/// The certificates that those of servers are checked against, as files that OpenSSL, curl and Python are told by the environment.
struct TrustedCertificates: Hashable, Sendable {
    /// Those of a file with PEM certificates.
    private let ofFile: [NIOSSLCertificate]
    /// A directory with such files under the names that `openssl rehash` gives.
    private let directory: String?

    /// Where distributions have the certificates of the system, one file with all of them.
    private static let systemFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    private static let systemDirectories = ["/etc/ssl/certs"]

    /// `nil` if the environment says nothing, so that the system's count.
    ///
    /// - Parameters:
    ///   - bundle: The variable that names all certificates to trust, before the two of OpenSSL; the Python client's is `REQUESTS_CA_BUNDLE`.
    ///   - variables: `SSL_CERT_FILE` takes the place of the system's file, the first directory of `SSL_CERT_DIR` of its directory.
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
            // A system need not have this file.
            ofFile = Self.systemFiles.lazy.compactMap { try? NIOSSLCertificate.fromPEMFile($0) }.first ?? []
        }
        directory = (directories?.split(separator: ":").map(String.init) ?? Self.systemDirectories).first(where: Self.isDirectory)
    }

    /// Lets `tls` check against them.
    func apply(to tls: inout TLSConfiguration) {
        tls.trustRoots = directory.map { .file($0) } ?? .certificates([])
        tls.additionalTrustRoots.append(.certificates(ofFile))
    }

    private static func read(_ path: String, _ variable: String) throws(OutboundProblem) -> [NIOSSLCertificate] {
        let certificates = try? NIOSSLCertificate.fromPEMFile(path)
        guard let certificates, !certificates.isEmpty else {
            throw OutboundProblem("the variable \(variable) names a file that is not there, or holds no certificate in PEM form")
        }
        return certificates
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }
}

extension TLSConfiguration {
    /// Whether it says itself which certificates to trust, or that it checks none.
    var namesTrustRoots: Bool {
        if case .none = certificateVerification { return true }
        return if case .default = trustRoots ?? .default { false } else { true }
    }
}
