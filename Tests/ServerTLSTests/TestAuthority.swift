import Crypto
import Foundation
import NIOSSL
import SwiftASN1
import X509

/// An authority that issues certificates for one test.
struct TestAuthority {
    /// A certificate with its key, in PEM form.
    struct Issued {
        var certificate: String
        var key: String
        var der: [UInt8]

        /// The certificate and the key in one text, as some clients keep them.
        var together: String { certificate + "\n" + key }
    }

    private let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    private let name: DistinguishedName
    let certificate: String

    /// - Parameter superior: The authority that vouches for this one. `nil` for a root.
    init(_ name: String = "Test CA", below superior: TestAuthority? = nil) throws {
        self.name = try DistinguishedName { CommonName(name) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: key.publicKey, notValidBefore: Date(timeIntervalSinceNow: -86_400),
            notValidAfter: Date(timeIntervalSinceNow: 864_000), issuer: superior?.name ?? self.name, subject: self.name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            }, issuerPrivateKey: superior?.key ?? key)
        self.certificate = try certificate.serializeAsPEM().pemString
    }

    /// - Parameter days: The days from now in which the certificate is valid.
    func issue(
        _ subject: DistinguishedName, names: [GeneralName] = [], usage: ExtendedKeyUsage.Usage? = .clientAuth,
        days: ClosedRange<Int> = -1...2, serial: [UInt8] = [0x0A, 0xBC], isSelfSigned: Bool = false
    ) throws -> Issued {
        let own = P256.Signing.PrivateKey()
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(bytes: serial), publicKey: .init(own.publicKey),
            notValidBefore: Date(timeIntervalSinceNow: Double(days.lowerBound) * 86_400),
            notValidAfter: Date(timeIntervalSinceNow: Double(days.upperBound) * 86_400), issuer: isSelfSigned ? subject : name,
            subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                if !names.isEmpty { SubjectAlternativeNames(names) }
                if let usage { try ExtendedKeyUsage([usage]) }
            }, issuerPrivateKey: isSelfSigned ? .init(own) : key)
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return Issued(
            certificate: try certificate.serializeAsPEM().pemString, key: own.pemRepresentation, der: serializer.serializedBytes)
    }
}

/// A directory for the files of one test.
final class TestDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "odcs-tls-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A directory that stays behind does no harm.
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"), options: .atomic)
        return "\(path)/\(name)"
    }
}
