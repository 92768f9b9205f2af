import ForeignText
import Foundation

/// A server address is the base URL of a service. It includes the path below which the service is
/// mounted, if that is not `/`. Examples: `http://127.0.0.1:5005`, `https://odcs.stg.example.org`.
public struct ServerAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address as given, without trailing slashes.
    public let description: String

    /// - Throws: ``ComposeClientError`` (`badAddress`) that says why `text` is not a valid address.
    public init(_ text: String) throws(ComposeClientError) {
        func refuse(_ why: String) -> ComposeClientError {
            ComposeClientError(.badAddress, "the server's address '\(text)' \(why)")
        }
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme) else {
            throw refuse("does not begin with http:// or https://")
        }
        guard parts.user == nil, parts.password == nil else {
            // The message does not contain the text, because it holds a password.
            throw ComposeClientError(.badAddress, "the server's address holds a user name or a password; the service takes a token instead")
        }
        guard let host = parts.host, !host.isEmpty else { throw refuse("names no host") }
        guard parts.query == nil, parts.fragment == nil else {
            throw refuse("has a '?' or a '#' in it; only scheme, host, port and path belong there")
        }
        var trimmed = Substring(text)
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        description = String(trimmed)
    }

    /// Returns the URL of a path of the service. The path begins with a slash.
    func url(_ path: String, query: [(name: String, value: String)] = []) -> String {
        guard !query.isEmpty else { return description + path }
        let pairs = query.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }
        return "\(description)\(path)?\(pairs.joined(separator: "&"))"
    }
}
