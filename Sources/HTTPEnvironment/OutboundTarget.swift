import Foundation

/// The parts of a request's URL that decide its route. Example: `http://user@host:8080/path?query`.
struct OutboundTarget: Hashable, Sendable {
    let isSecure: Bool
    let host: String
    let port: Int
    /// Host and port as the URL has them, for example `host:8080`.
    let authority: String
    /// Path and query as the URL has them, for example `/path?query`. `/` if the URL has no path.
    let pathAndQuery: String

    /// Returns `nil` if the scheme is neither `http` nor `https`.
    init?(_ url: String) {
        guard let colon = url.range(of: "://") else { return nil }
        switch url[..<colon.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        let rest = url[colon.upperBound...]
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        let authority = String(rest[..<end].split(separator: "@", omittingEmptySubsequences: false).last ?? "")
        self.authority = authority
        let tail = rest[end...].prefix { $0 != "#" }
        pathAndQuery = tail.hasPrefix("/") ? String(tail) : "/\(tail)"
        // An IPv6 address has colons of its own, inside brackets.
        let afterAddress = authority.lastIndex(of: "]").map { authority.index(after: $0) } ?? authority.startIndex
        if let colon = authority[afterAddress...].lastIndex(of: ":") {
            host = String(authority[..<colon])
            port = Int(authority[authority.index(after: colon)...]) ?? 0
        } else {
            host = authority
            port = isSecure ? 443 : 80
        }
    }
}
