import ForeignText
import Foundation
import Glibc

/// An http or https address that a registry may be asked at.
///
/// Each address that a registry names (a redirect, a place for an upload, a token service) must become
/// such a value by ``resolving(_:_:)``, which refuses other schemes and weaker transports.
struct RegistryURL: Hashable, Sendable {
    let isSecure: Bool
    /// The host in lower case, an IPv6 address in brackets.
    let host: String
    let port: Int
    /// Path and query as they are sent.
    let pathAndQuery: String

    /// Creates the address of an endpoint. The path needs no escapes.
    init(isSecure: Bool, host: String, port: Int?, path: String) {
        self.isSecure = isSecure
        self.host = host.lowercased()
        self.port = port ?? (isSecure ? 443 : 80)
        pathAndQuery = path
    }

    /// Scheme, host and port. Example: `https://registry.example.org`.
    var origin: String { "\(isSecure ? "https" : "http")://\(host)\(port == (isSecure ? 443 : 80) ? "" : ":\(port)")" }

    /// The address as it is sent.
    var request: String { origin + pathAndQuery }

    /// Whether a request to the other address goes to the same server by the same transport.
    func hasSameOrigin(as other: RegistryURL) -> Bool { origin.hasSameBytes(as: other.origin) }

    /// Whether the host is this machine itself, by its name or address.
    var isLoopback: Bool {
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        guard let address = Self.bytes(ofAddress: host) else { return false }
        let isMapped = address.count == 16 && address[..<10].allSatisfy { $0 == 0 } && address[10] == 0xFF
        let last = address.suffix(4)
        if address.count == 4 || isMapped { return last.first == 127 || last.allSatisfy { $0 == 0 } }
        return address.dropLast().allSatisfy { $0 == 0 } && address[15] <= 1
    }

    /// Returns the address with one more parameter in its query. The value must need no escapes.
    func adding(_ name: String, _ value: String) -> RegistryURL {
        RegistryURL(
            isSecure: isSecure, host: host, port: port,
            path: "\(pathAndQuery)\(pathAndQuery.utf8.contains(UInt8(ascii: "?")) ? "&" : "?")\(name)=\(value)")
    }

    /// Returns the address that `reference`, which a registry sent in an answer from this address, means.
    ///
    /// - Parameter role: The role of the address in a sentence, for example "redirects to".
    /// - Throws: `.badAnswer` for any other scheme than http and https, for http after https, for an
    ///   address of this machine after that of another, and for an address with a user name.
    func resolving(_ reference: String, _ role: String) throws(RegistryFailure) -> RegistryURL {
        func refusal(_ why: String) -> RegistryFailure {
            RegistryFailure(.badAnswer, "The registry at \(origin) \(role) an address that is not used: \(why).")
        }
        guard reference.utf8.count <= 16_384, reference.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }),
            let base = URL(string: request), let target = URL(string: reference, relativeTo: base)?.absoluteURL,
            let parts = URLComponents(url: target, resolvingAgainstBaseURL: true), let host = parts.host, !host.isEmpty
        else { throw refusal("it is not an address") }
        guard let scheme = parts.scheme?.lowercased(), scheme == "http" || scheme == "https" else {
            throw refusal("it is neither http:// nor https://")
        }
        guard parts.user == nil, parts.password == nil else { throw refusal("it has a user name") }
        guard scheme == "https" || !isSecure else { throw refusal("it would leave TLS") }
        let bracketed = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        guard Self.isHost(bracketed), (1...65535).contains(parts.port ?? 1) else {
            throw refusal("its host is not a name or an address")
        }
        let path = parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath
        let found = RegistryURL(
            isSecure: scheme == "https", host: bracketed, port: parts.port,
            path: path + (parts.percentEncodedQuery.map { "?\($0)" } ?? ""))
        guard !found.isLoopback || isLoopback else { throw refusal("it is on the host of this service itself") }
        return found
    }

    /// Returns the 4 or 16 bytes of an IP address, or nil for a name.
    private static func bytes(ofAddress host: String) -> [UInt8]? {
        let isBracketed = host.hasPrefix("[")
        var bytes = [UInt8](repeating: 0, count: isBracketed ? 16 : 4)
        let text = isBracketed ? String(host.dropFirst().dropLast()) : host
        return inet_pton(isBracketed ? AF_INET6 : AF_INET, text, &bytes) == 1 ? bytes : nil
    }

    /// Whether the text is a name or a complete address. Other forms of addresses, for example `127.1` and
    /// `2130706433`, are not accepted.
    private static func isHost(_ host: String) -> Bool {
        guard host.utf8.allSatisfy(isHostByte) else { return false }
        if bytes(ofAddress: host) != nil { return true }
        let last = host.split(separator: ".").last ?? ""
        return !host.contains { ":[]".contains($0) } && !(last.first?.isNumber ?? true)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: ".-_:[]".utf8.contains(byte)
        }
    }
}
