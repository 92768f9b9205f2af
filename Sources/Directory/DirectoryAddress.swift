/// A directory address is the URL of an LDAP server. Examples: `ldaps://ldap.example.org`,
/// `ldap://127.0.0.1:3890`, `ldapi://%2Frun%2Fslapd%2Fldapi` for a socket of this host.
public struct DirectoryAddress: Hashable, Sendable, CustomStringConvertible {
    public let description: String
    private let scheme: Substring
    private let host: Substring

    /// - Throws: The problem of a text that is not the address of one server.
    public init(_ text: String) throws(DirectorySettingProblem) {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, ["ldap", "ldaps", "ldapi"].contains(parts[0]) else {
            throw DirectorySettingProblem(description: "must begin with ldaps://, ldap:// or ldapi://")
        }
        var rest = parts[1]
        if rest.last == "/" { rest = rest.dropLast() }
        // libldap takes a list of servers apart at spaces and commas.
        guard !rest.isEmpty, rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !rest.contains(where: { "/?#@, ".contains($0) }) else {
            throw DirectorySettingProblem(
                description: "must be the address of one server without a user, a path or a query, for example ldaps://ldap.example.org")
        }
        description = "\(parts[0])://\(rest)"
        scheme = parts[0]
        host = rest.first == "[" ? rest.prefix { $0 != "]" } + "]" : rest.prefix { $0 != ":" }
    }

    /// Whether the server encrypts the connection from its beginning.
    public var isEncrypted: Bool { scheme == "ldaps" }

    /// Whether the connection stays on this host.
    public var isLocal: Bool {
        scheme == "ldapi" || host == "localhost" || host == "[::1]"
            || host.hasPrefix("127.") && host.allSatisfy { $0.isWholeNumber || $0 == "." }
    }
}
