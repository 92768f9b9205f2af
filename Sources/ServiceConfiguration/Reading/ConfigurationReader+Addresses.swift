import Foundation
import Glibc
import SystemPackage

/// Addresses of hosts and of services in a configuration.
extension ConfigurationReader {
    /// Returns a host to listen on: its name, or its address, without a port. Examples: `127.0.0.1`, `::1`.
    public mutating func host(_ key: String, default value: String) throws -> String {
        let host = try string(key, default: value)
        guard Self.isAddress(host) || host.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?/) != nil else {
            throw mistake(key, "must be the name of a host or an address such as 127.0.0.1 or ::1, without a port, not \(host)")
        }
        return host
    }

    /// Returns a list of addresses of hosts. Examples: `192.0.2.7`, `2001:db8::7`.
    public mutating func addresses(_ key: String) throws -> [String] {
        let addresses = try strings(key, default: [])
        if let wrong = addresses.first(where: { !Self.isAddress($0) }) {
            throw mistake(key, "must be a list of addresses such as 192.0.2.7 or 2001:db8::7, not \(wrong)")
        }
        return addresses
    }

    /// Returns an address to which paths are added. It cannot have a query. Returns `nil` if the key is not
    /// set.
    public mutating func optionalBaseURL(_ key: String) throws -> String? {
        guard let url = try optionalString(key) else { return nil }
        guard let parts = Self.parts(of: url), parts.query == nil, parts.fragment == nil, parts.user == nil else {
            throw mistake(key, "must be an address such as https://odcs.example.org/, without a query, not \(url)")
        }
        return url
    }

    public mutating func urls(_ key: String) throws -> [String] {
        let urls = try strings(key, default: [])
        if let wrong = urls.first(where: { Self.parts(of: $0) == nil }) {
            throw mistake(key, "must be a list of addresses such as https://example.org/path/, not \(wrong)")
        }
        return urls
    }

    public mutating func optionalURL(_ key: String) throws -> String? {
        guard let url = try optionalString(key) else { return nil }
        guard Self.parts(of: url) != nil else { throw mistake(key, "must be an address such as https://example.org/path/, not \(url)") }
        return url
    }

    /// Returns the parts of an http or https address with a host, or `nil` for any other text.
    private static func parts(of url: String) -> URLComponents? {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), let parts = URLComponents(string: url),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = parts.host, !host.isEmpty
        else { return nil }
        return parts
    }

    private static func isAddress(_ text: String) -> Bool {
        var four = in_addr()
        var sixteen = in6_addr()
        return inet_pton(AF_INET, text, &four) == 1 || inet_pton(AF_INET6, text, &sixteen) == 1
    }
}
