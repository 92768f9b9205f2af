import CGSSAPI

/// A GSS mechanism is an object identifier of GSSAPI. It is encoded as in DER, without the first two
/// bytes.
struct GSSMechanism: Hashable {
    let encoded: [UInt8]

    /// The mechanism of Kerberos 5, 1.2.840.113554.1.2.2.
    static let kerberos = GSSMechanism(encoded: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x02])
    /// SPNEGO, 1.3.6.1.5.5.2. It negotiates the mechanism.
    static let negotiation = GSSMechanism(encoded: [0x2B, 0x06, 0x01, 0x05, 0x05, 0x02])
    /// The kind of names that have the form SERVICE@HOST, 1.2.840.113554.1.2.1.4.
    static let serviceName = GSSMechanism(encoded: [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x12, 0x01, 0x02, 0x01, 0x04])

    init(encoded: [UInt8]) { self.encoded = encoded }

    init?(_ identifier: gss_OID?) {
        guard let identifier, let elements = identifier.pointee.elements else { return nil }
        encoded = Array(UnsafeRawBufferPointer(start: elements, count: Int(identifier.pointee.length)))
    }

    /// Calls `body` with the identifier, which is valid during the call only.
    func with<Value>(_ body: (gss_OID) throws -> Value) rethrows -> Value {
        try Self.withSet([self]) { try body($0.pointee.elements) }
    }

    /// Calls `body` with a set of identifiers, which is valid during the call only.
    static func withSet<Value>(_ mechanisms: [GSSMechanism], _ body: (gss_OID_set) throws -> Value) rethrows -> Value {
        var bytes = mechanisms.flatMap(\.encoded)
        return try bytes.withUnsafeMutableBytes { bytes in
            var offset = 0
            var identifiers = mechanisms.map { mechanism in
                defer { offset += mechanism.encoded.count }
                return gss_OID_desc(length: OM_uint32(mechanism.encoded.count), elements: bytes.baseAddress.map { $0 + offset })
            }
            return try identifiers.withUnsafeMutableBufferPointer { identifiers in
                var set = gss_OID_set_desc(count: mechanisms.count, elements: identifiers.baseAddress)
                return try withUnsafeMutablePointer(to: &set, body)
            }
        }
    }
}
