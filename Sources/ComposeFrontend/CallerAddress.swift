import Glibc
import HTTPTypes
import NIOCore

/// The address that requests of one caller come from, as limits count them: an IPv4 address, for example `192.0.2.7`, or a network of IPv6,
/// for example `2001:db8:0:1::/64`, of which one host has all addresses.
///
/// A proxy in front of the service sends the requests of all callers. If it is trusted, the last address of its `X-Forwarded-For` counts,
/// which is the address that the proxy itself has seen. Without such a header it is the proxy's own.
struct CallerAddress: Hashable {
    let text: String

    /// - Parameters:
    ///   - peer: The other end of the connection.
    ///   - trustedProxies: Addresses of proxies.
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

    /// An address in the one form in which addresses of proxies are compared. Other texts stay as they are.
    static func plain(_ address: String) -> String { bytes(address).map(written) ?? address }

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For")!

    /// The address's 4 or 16 bytes; an IPv4 address that is written as one of IPv6 (`::ffff:192.0.2.7`) has 4.
    private static func bytes(_ address: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, address, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var sixteen = in6_addr()
        // The interface of a local address, `fe80::1%eth0`, is no part of it.
        guard inet_pton(AF_INET6, String(address.prefix { $0 != "%" }), &sixteen) == 1 else { return nil }
        let bytes = withUnsafeBytes(of: sixteen) { Array($0) }
        return bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) ? Array(bytes.suffix(4)) : bytes
    }

    private static func written(_ bytes: [UInt8]) -> String {
        bytes.count == 4 ? bytes.map(String.init).joined(separator: ".") : bytes.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
