import AsyncHTTPClient
import Foundation
import NIOHTTP1

/// A redirect is the request to send next, from an answer's status and `Location`.
struct Redirect {
    /// The maximum number of redirects in a row. More redirects count as a circle.
    static let most = 5

    /// The request to send next. A POST stays a POST, except after 303. The token is removed if the request
    /// goes to another host, port or scheme.
    let request: HTTPClientRequest

    /// Returns `nil` if the answer is not a redirect, or if its target is not an HTTP address.
    init?(_ response: HTTPClientResponse, of request: HTTPClientRequest) {
        guard [301, 302, 303, 307, 308].contains(response.status.code), let location = response.headers.first(name: "Location"),
            let source = URL(string: request.url), let target = URL(string: location, relativeTo: source)?.absoluteURL,
            let scheme = target.scheme?.lowercased(), ["http", "https"].contains(scheme), target.host != nil, target.user == nil
        else { return nil }
        var next = request
        next.url = target.absoluteString
        if response.status == .seeOther, request.method != .HEAD {
            next.method = .GET
            next.body = nil
            next.headers.remove(name: "Content-Type")
        }
        if Self.origin(source) != Self.origin(target) { next.headers.remove(name: "Authorization") }
        self.request = next
    }

    private static func origin(_ url: URL) -> String {
        let scheme = url.scheme?.lowercased() ?? ""
        return "\(scheme)://\(url.host?.lowercased() ?? ""):\(url.port ?? (scheme == "https" ? 443 : 80))"
    }
}
