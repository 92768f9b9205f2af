import Foundation

/// An http or https address in one normal form, so that two that mean the same compare equal and "is below" means what it says.
///
/// Scheme and host are in lower case, a default port is left out, and the path is a list of names in which nothing is left to interpret: no `.`
/// or `..`, no empty name, no escaped slash. There is never a user name or password.
public struct RepositoryURL: Hashable, Sendable {
    let scheme: String
    /// A name or an address; an IPv6 address in its brackets.
    let host: String
    /// `nil` for the default one of ``scheme``.
    let port: Int?
    /// The path's names, percent-decoded.
    let names: [String]
    /// Only a redirect brings one: it may be a signature, so it is sent but never shown.
    let query: String?
    /// Whether the path ends with a slash, which servers of directories care about.
    let endsWithSlash: Bool

    /// Why a text is no such address; fit for a person, without the text itself.
    struct Objection: Error {
        let reason: String
    }

    /// Reads `text`, which a person wrote or a server sent.
    /// - Parameter allowsQuery: for the target of a redirect.
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

    /// The address of `href`, as rpm-md writes one: a path relative to this address that may contain characters which a URL would have to escape.
    ///
    /// Steps upwards are resolved, so the result need not lie below this address: it has to be authorised as any other.
    func appending(href: String) throws(Objection) -> RepositoryURL {
        RepositoryURL(scheme: scheme, host: host, port: port, names: try Self.names(of: href, below: names, mayStepUp: true))
    }

    /// Where a server sends a request to this address with the `Location` of a redirect.
    func redirected(to location: String) throws(Objection) -> RepositoryURL {
        guard let base = URL(string: request), let target = URL(string: location, relativeTo: base) else {
            throw Objection(reason: "it is not an address")
        }
        var absolute = target.absoluteString
        if let fragment = absolute.firstIndex(of: "#") { absolute = String(absolute[..<fragment]) }
        return try RepositoryURL(absolute, allowsQuery: true)
    }

    /// Whether this address is `prefix` or lies below it: same scheme, host and port, and all of its path's names.
    func isWithin(_ prefix: RepositoryURL) -> Bool {
        scheme == prefix.scheme && host == prefix.host && port == prefix.port && names.starts(with: prefix.names)
    }

    /// The address to send in a request; every character that means something in a URL is escaped.
    var request: String { text(escapingAllBut: Self.unreserved) + (query.map { "?\($0)" } ?? "") }

    /// Scheme, host and port.
    var origin: String { "\(scheme)://\(host)\(port.map { ":\($0)" } ?? "")" }
}

extension RepositoryURL: CustomStringConvertible {
    /// As people write addresses, and without the query.
    public var description: String { text(escapingAllBut: Self.unreserved.union("!$&'()*+,;=:@^".utf8)) }
}

extension RepositoryURL {
    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)

    private static func defaultPort(_ scheme: String) -> Int { scheme == "https" ? 443 : 80 }

    /// ASCII only: a host that looks like another one by its letters is not accepted.
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
            // An href is not always escaped: one that is no valid escape is taken as it stands.
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
