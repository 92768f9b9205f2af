import Foundation

/// What the address of a request says of its way: `http://user@host:8080/path?query` taken apart.
struct OutboundTarget: Hashable, Sendable {
    let isSecure: Bool
    let host: String
    let port: Int
    /// Host and port as they are written.
    let authority: String
    /// As it is written, or `/`.
    let pathAndQuery: String

    /// `nil` for another address than one of HTTP.
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
        // An IPv6 address has colons of its own, inside of brackets.
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
