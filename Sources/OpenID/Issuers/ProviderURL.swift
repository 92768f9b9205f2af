import ForeignText

/// A provider URL is the address of an identity provider or of one of its parts. It has the scheme
/// `https`. On this host it may have `http`.
public struct ProviderURL: Hashable, Sendable, CustomStringConvertible {
    public let text: String
    /// Whether connections to it are encrypted.
    public let isSecure: Bool

    public var description: String { text }

    /// Returns `nil` for a URL with another scheme, a user name, a query, a fragment, a space or a
    /// character beyond ASCII, and for plain `http` to another host.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"), !text.contains("\\"), text.utf8.count <= 2000 else {
            return nil
        }
        let rest: Substring
        if text.hasPrefix("https://") {
            isSecure = true
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            return nil
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.isEmpty, !authority.contains("@"), isSecure || Self.isLoopback(authority) else { return nil }
        self.text = text
    }

    private static func isLoopback(_ authority: Substring) -> Bool {
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return host == "localhost" || host == "[::1]" || host.wholeMatch(of: /127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}/) != nil
    }
}
