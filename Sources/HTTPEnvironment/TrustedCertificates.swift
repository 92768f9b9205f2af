import Foundation
import NIOSSL

/// The certificates that those of servers are checked against, as files that OpenSSL, curl and Python are told by the environment.
struct TrustedCertificates: Hashable, Sendable {
    /// A file with PEM certificates, or a directory with such files under the names that `openssl rehash` gives.
    let main: String?
    let others: [String]

    /// Where distributions have the certificates of the system, one file with all of them.
    private static let systemFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    private static let systemDirectories = ["/etc/ssl/certs"]

    /// `nil` if the environment says nothing, so that the system's count.
    ///
    /// - Parameters:
    ///   - bundle: The variable that names all certificates to trust, before the two of OpenSSL; the Python client's is `REQUESTS_CA_BUNDLE`.
    ///   - variables: `SSL_CERT_FILE` takes the place of the system's file, `SSL_CERT_DIR` of its directory.
    init?(bundle: String?, in variables: [String: String]) throws(OutboundProblem) {
        func value(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let bundle, let path = value(bundle) {
            try Self.check(path, bundle)
            (main, others) = (path, [])
            return
        }
        let (file, directories) = (value("SSL_CERT_FILE"), value("SSL_CERT_DIR"))
        if file == nil, directories == nil { return nil }
        if let file { try Self.check(file, "SSL_CERT_FILE") }
        main = file ?? Self.systemFiles.first { FileManager.default.fileExists(atPath: $0) }
        others = (directories?.split(separator: ":").map(String.init) ?? Self.systemDirectories).filter(Self.isDirectory)
    }

    /// Lets `tls` check against them.
    func apply(to tls: inout TLSConfiguration) {
        if let main { tls.trustRoots = .file(main) } else { tls.trustRoots = .certificates([]) }
        tls.additionalTrustRoots += others.map { .file($0) }
    }

    private static func check(_ path: String, _ variable: String) throws(OutboundProblem) {
        if isDirectory(path) { return }
        let certificates = try? NIOSSLCertificate.fromPEMFile(path)
        guard certificates?.isEmpty == false else {
            throw OutboundProblem("the variable \(variable) names a file that is not there, or holds no certificate in PEM form")
        }
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
