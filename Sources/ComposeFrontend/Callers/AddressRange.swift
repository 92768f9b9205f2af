/// An address range is an address or a network. Examples: `127.0.0.1`, `192.0.2.0/24`, `2001:db8::/32`.
public struct AddressRange: Hashable, Sendable {
    private let bytes: [UInt8]
    /// The number of bits that all addresses of the range share.
    private let bits: Int

    /// Returns `nil` if the text is neither an address nor a network, or if the address of a network has
    /// bits behind those of the network.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let bytes = CallerAddress.bytes(String(parts[0])) else { return nil }
        var bits = bytes.count * 8
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].allSatisfy(\.isASCIIDigit), let number = Int(parts[1]), number <= bits
            else { return nil }
            bits = number
        }
        guard (bits..<bytes.count * 8).allSatisfy({ !Self.bit($0, of: bytes) }) else { return nil }
        self.bytes = bytes
        self.bits = bits
    }

    /// Whether the range has all addresses of its family.
    public var isEverything: Bool { bits == 0 }

    /// Whether an address is in the range. An IPv4 address that is written as an IPv6 address counts as the
    /// IPv4 address.
    func contains(_ address: String) -> Bool {
        guard let other = CallerAddress.bytes(address), other.count == bytes.count else { return false }
        return (0..<bits).allSatisfy { Self.bit($0, of: bytes) == Self.bit($0, of: other) }
    }

    private static func bit(_ index: Int, of bytes: [UInt8]) -> Bool { bytes[index / 8] >> (7 - index % 8) & 1 == 1 }
}
