import SwiftASN1
import X509

/// The text of the subject of a certificate as RFC 4514 and Apache write it, the most special part
/// first. Example: `UID=osbs,OU=users,DC=example,DC=org`.
///
/// The library's own text has numbers for some types, so it differs from the names of owners that an
/// Apache in front of the published ODCS has given.
enum DistinguishedNameText {
    private static let types: [(ASN1ObjectIdentifier, String)] = [
        (.RDNAttributeType.commonName, "CN"), (.RDNAttributeType.countryName, "C"), (.RDNAttributeType.localityName, "L"),
        (.RDNAttributeType.stateOrProvinceName, "ST"), (.RDNAttributeType.organizationName, "O"),
        (.RDNAttributeType.organizationalUnitName, "OU"), (.RDNAttributeType.streetAddress, "STREET"),
        (.RDNAttributeType.domainComponent, "DC"), ([0, 9, 2342, 19_200_300, 100, 1, 1], "UID"), ([2, 5, 4, 5], "SERIALNUMBER"),
        (.RDNAttributeType.emailAddress, "emailAddress"),
    ]

    /// - Throws: ``UnreadableName`` if a value of a known type is not text in ASCII or UTF-8.
    static func text(of name: DistinguishedName) throws -> String {
        try name.reversed().map { part in try part.map(text).joined(separator: "+") }.joined(separator: ",")
    }

    private static func text(of attribute: RelativeDistinguishedName.Attribute) throws -> String {
        if let name = types.first(where: { $0.0 == attribute.type })?.1 { return "\(name)=\(escaped(try attribute.text))" }
        var serializer = DER.Serializer()
        try serializer.serialize(ASN1Any(attribute.value))
        return "\(attribute.type)=#\(serializer.serializedBytes.map(\.hexadecimal).joined())"
    }

    /// Returns a value in which no character ends the value or begins another one.
    private static func escaped(_ value: String) -> String {
        var text = ""
        let scalars = Array(value.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let isAtEnd = index == 0 || index == scalars.count - 1
            switch scalar {
            case ",", "+", "\"", "\\", "<", ">", ";": text += "\\\(scalar)"
            case " " where isAtEnd: text += "\\ "
            case "#" where index == 0: text += "\\#"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: text += "\\" + UInt8(scalar.value).hexadecimal.uppercased()
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension RelativeDistinguishedName.Attribute {
    var text: String {
        get throws {
            guard let text = String(value) else { throw UnreadableName() }
            return text
        }
    }
}
