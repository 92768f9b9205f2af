public import Identity
public import NIOSSL
import SwiftASN1
import X509

extension ClientCertificate {
    /// Reads the names in a certificate that the TLS layer has verified.
    ///
    /// - Throws: Any error of the certificate's form, or ``UnreadableName``.
    public init(_ certificate: NIOSSLCertificate) throws { try self.init(der: try certificate.toDERBytes()) }

    init(der: [UInt8]) throws {
        let certificate = try Certificate(derEncoded: der)
        let names = try certificate.extensions.subjectAlternativeNames.map { Array($0) } ?? []
        let commonNames = try certificate.subject.flatMap { try $0.filter { $0.type == .RDNAttributeType.commonName }.map { try $0.text } }
        self.init(
            subject: try DistinguishedNameText.text(of: certificate.subject),
            commonName: commonNames.count == 1 ? commonNames[0] : nil,
            emails: names.compactMap { if case .rfc822Name(let address) = $0 { address } else { nil } },
            uris: names.compactMap { if case .uniformResourceIdentifier(let uri) = $0 { uri } else { nil } },
            serial: SerialNumber.text(of: certificate.serialNumber.bytes))
    }
}

/// The error for a name in a certificate that is written in an encoding of the past.
struct UnreadableName: Error {}

/// The serial number of a certificate as text.
enum SerialNumber {
    /// Returns lower-case hexadecimal digits without leading zeros.
    static func text(of bytes: some Sequence<UInt8>) -> String {
        let digits = bytes.map { $0.hexadecimal }.joined().drop { $0 == "0" }
        return digits.isEmpty ? "0" : String(digits)
    }

    /// Returns the same for a text of an operator, which may have colons, capital letters and leading
    /// zeros. Returns `nil` if the text is not a number.
    static func text(written text: some StringProtocol) -> String? {
        let digits = text.lowercased().filter { $0 != ":" }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 < 0x80 }), digits.allSatisfy(\.isHexDigit) else { return nil }
        let rest = digits.drop { $0 == "0" }
        return rest.isEmpty ? "0" : String(rest)
    }
}

extension UInt8 {
    /// Two lower-case hexadecimal digits.
    var hexadecimal: String { (self < 16 ? "0" : "") + String(self, radix: 16) }
}
