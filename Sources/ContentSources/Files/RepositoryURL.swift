import Foundation

/// An http or https address in a normal form. Two addresses that mean the same compare equal, and
/// ``isWithin(_:)`` can compare names.
///
/// Scheme and host are in lower case, and a default port is left out. The path is a list of names that
/// need no further interpretation. It contains no `.` or `..`, no empty name and no escaped slash. An
/// address never contains a user name or password.
///
/// Example: `HTTPS://example.com:443/repo` becomes `https://example.com/repo`.
public struct RepositoryURL: Hashable, Sendable {
    let scheme: String
    /// A host name or an IP address. An IPv6 address is in brackets, for example `[::1]`.
    let host: String
    /// The port, or `nil` for the default port of ``scheme``.
    let port: Int?
    /// The path's names, percent-decoded.
    let names: [String]
    /// The query, which only the target of a redirect can have. It may be a signature, so it is sent but
    /// never shown.
    let query: String?
    /// Whether the path ends with a slash, which matters to servers of directories.
    let endsWithSlash: Bool

    /// The reason why a text is not a usable address. It can be shown to a user, because it does not
    /// contain the text.
    struct Objection: Error {
        let reason: String
    }

    /// Reads `text`, which comes from a user or a server.
    /// - Parameter allowsQuery: Whether the address may have a query or fragment. Only the target of a
    ///   redirect may.
    init(_ text: String, allowsQuery: Bool = false) throws(Objection) {
        guard text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0.value != 0x7F && $0 != "\\" }) else {
            throw Objection(reason: "it contains a space, a backslash or a control character")
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else {
            throw Objection(reason: "it is not a complete address")
        }
        guard scheme == "http" || scheme == "https" else { throw Objection(reason: "it is neither http:// nor https://") }
        guard let host = parts.host?.lowercased(), !host.isEmpty else { throw Objection(reason: "it is not a complete address") }
        guard parts.user == nil, parts.password == nil, !(parts.percentEncodedHost ?? "").contains("@") else {
            throw Objection(reason: "it contains a user name or password, which would become readable by everyone")
        }
        guard Self.isHost(host) else { throw Objection(reason: "its host is not a name or an address") }
        guard allowsQuery || (parts.query == nil && parts.fragment == nil) else {
            throw Objection(reason: "it has a part after ? or #, which the address of a repository does not have")
        }
        self.scheme = scheme
        self.host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        self.port = parts.port == Self.defaultPort(scheme) ? nil : parts.port
        self.query = parts.percentEncodedQuery
        let path = parts.percentEncodedPath
        names = try Self.names(of: path, below: [], mayStepUp: false)
        endsWithSlash = path.hasSuffix("/")
    }

    private init(scheme: String, host: String, port: Int?, names: [String]) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.names = names
        self.query = nil
        self.endsWithSlash = false
    }

    /// Returns the address of `href`, an href of rpm-md.
    ///
    /// It is a path relative to this address. It may contain characters that a URL would have to escape.
    ///
    /// Steps upwards (`..`) are resolved, so the result may lie outside this address. It has to be
    /// authorized like any other address.
    func appending(href: String) throws(Objection) -> RepositoryURL {
        RepositoryURL(scheme: scheme, host: host, port: port, names: try Self.names(of: href, below: names, mayStepUp: true))
    }

    /// Returns the target of a redirect, from the `Location` header of the response to this address. A
    /// fragment is removed.
    func redirected(to location: String) throws(Objection) -> RepositoryURL {
        guard let base = URL(string: request), let target = URL(string: location, relativeTo: base) else {
            throw Objection(reason: "it is not an address")
        }
        var absolute = target.absoluteString
        if let fragment = absolute.firstIndex(of: "#") { absolute = String(absolute[..<fragment]) }
        return try RepositoryURL(absolute, allowsQuery: true)
    }

    /// Returns whether this address is `prefix` or lies below it. Scheme, host, port and all names of the
    /// prefix's path must be equal.
    func isWithin(_ prefix: RepositoryURL) -> Bool {
        scheme == prefix.scheme && host == prefix.host && port == prefix.port && names.starts(with: prefix.names)
    }

    /// The address to send in a request. Every character that has a meaning in a URL is escaped.
    var request: String { text(escapingAllBut: Self.unreserved) + (query.map { "?\($0)" } ?? "") }

    /// The scheme, host and port. Example: `http://example.com:8080`.
    var origin: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }
}

extension RepositoryURL: CustomStringConvertible {
    /// The address for messages, without the query and with few escapes. Example:
    /// `https://example.com/f39+updates`.
    public var description: String { text(escapingAllBut: Self.unreserved.union("!$&'()*+,;=:@^".utf8)) }
}

extension RepositoryURL {
    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    private static func defaultPort(_ scheme: String) -> Int { scheme == "https" ? 443 : 80 }

    /// Only ASCII is accepted, so that a host cannot imitate another one with similar letters.
    private static func isHost(_ host: String) -> Bool {
        let isAddress = host.contains(":") || host.hasPrefix("[")
        return host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"): !isAddress
            case UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"): isAddress
            default: false
            }
        }
    }

    private static func names(of path: String, below start: [String], mayStepUp: Bool) throws(Objection) -> [String] {
        var names = start
        for part in path.split(separator: "/") {
            // An href is not always escaped. A percent sign that does not begin a valid escape makes the name
            // literal.
            guard let name = mayStepUp ? part.removingPercentEncoding ?? String(part) : part.removingPercentEncoding else {
                throw Objection(reason: "its path contains an escape that is not UTF-8 text")
            }
            guard name.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\" }) else {
                throw Objection(reason: "its path contains an escaped slash, a backslash or a control character")
            }
            switch name {
            case ".": continue
            case "..":
                guard mayStepUp, !names.isEmpty else { throw Objection(reason: "its path contains a step upwards (..)") }
                names.removeLast()
            default: names.append(name)
            }
        }
        return names
    }

    private func text(escapingAllBut allowed: Set<UInt8>) -> String {
        var text = origin + "/"
        for (index, name) in names.enumerated() {
            if index > 0 { text += "/" }
            for byte in name.utf8 {
                if allowed.contains(byte) {
                    text.unicodeScalars.append(Unicode.Scalar(byte))
                } else {
                    let digits = String(byte, radix: 16, uppercase: true)
                    text += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
                }
            }
        }
        return endsWithSlash && !names.isEmpty ? text + "/" : text
    }
}
