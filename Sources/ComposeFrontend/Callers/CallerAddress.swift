import Glibc
import HTTPTypes
import NIOCore

/// A caller address is the address that limits count requests by. It is an IPv4 address or an IPv6
/// network. Examples: `192.0.2.7`, `2001:db8:0:1::/64`. A whole IPv6 network counts as one caller,
/// because one host has all of its addresses.
///
/// A proxy in front of the service sends the requests of all callers. If the proxy is trusted, the last
/// address of its `X-Forwarded-For` counts, because the proxy itself saw that address. Without the
/// header, the proxy's own address counts.
struct CallerAddress: Hashable {
    let text: String

    /// Returns `nil` if `peer` is not an IP address.
    ///
    /// - Parameters:
    ///   - peer: The address of the other end of the connection.
    ///   - trustedProxies: Addresses of proxies, in the form of ``plain(_:)``.
    init?(peer: String, headers: HTTPFields, trustedProxies: Set<String>) {
        let isProxy = !trustedProxies.isEmpty && trustedProxies.contains(Self.plain(peer))
        let forwarded = isProxy ? headers[values: Self.forwardedFor].last?.split(separator: ",").last : nil
        let bytes = forwarded.flatMap { Self.bytes($0.filter { $0 != " " }) } ?? Self.bytes(peer)
        guard let bytes else { return nil }
        if bytes.count == 4 {
            text = Self.written(bytes)
        } else {
            let groups = stride(from: 0, to: 8, by: 2).map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }
            text = groups.joined(separator: ":") + "::/64"
        }
    }

    /// Returns an address in the form in which addresses of proxies are compared. Any other text is
    /// returned unchanged.
    static func plain(_ address: String) -> String { bytes(address).map(written) ?? address }

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")!

    /// Returns the address's 4 or 16 bytes. An IPv4 address that is written as an IPv6 address
    /// (`::ffff:192.0.2.7`) has 4.
    static func bytes(_ address: String) -> [UInt8]? {
        if let four = bytes(address, AF_INET, count: 4) { return four }
        // The interface in a local address such as `fe80::1%eth0` is not part of the address.
        guard let bytes = bytes(String(address.prefix { $0 != "%" }), AF_INET6, count: 16) else { return nil }
        return bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) ? Array(bytes.suffix(4)) : bytes
    }

    private static func bytes(_ address: String, _ family: Int32, count: Int) -> [UInt8]? {
        var isAddress = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            isAddress = inet_pton(family, address, buffer.baseAddress) == 1
            written = isAddress ? count : 0
        }
        return isAddress ? bytes : nil
    }

    private static func written(_ bytes: [UInt8]) -> String {
        bytes.count == 4 ? bytes.map(String.init).joined(separator: ".") : bytes.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
