import ComposeModel
import ForeignText
import HTTPTypes
import Hummingbird

/// A rule that refuses two kinds of requests. The first are those that a page of another site makes a
/// browser send. The second are those for a host that is not this service.
///
/// Browsers send the origin of a request in `Origin`, and newer ones in `Sec-Fetch-Site`. Programs send
/// neither. In DNS rebinding, the name of a page's own host is made to resolve to this service's
/// address. To the browser, the request is then of the same origin, but its `Host` is the page's host.
/// Such a page cannot use an IP address or `localhost` as its host, so those are accepted.
struct CrossSiteRule: Sendable {
    /// The host of the service. Examples: `odcs.example.com`, `odcs.example.com:8080`. `nil` means that
    /// every host is accepted.
    private let host: String?

    /// - Parameter serverURL: The configured base of all addresses. It is empty if none is configured.
    init(serverURL: String) {
        host = serverURL.isEmpty ? nil : Self.authority(of: serverURL)
    }

    /// - Throws: ``RequestRejection`` with status 403.
    func check(_ request: Request) throws(RequestRejection) {
        if let asked = request.head.authority, let host, !isOwn(asked) {
            throw RequestRejection(
                .forbidden, .crossSite,
                "This service is \(host), not \(asked.quoted). The setting frontend.public_url says under which name it is reached.")
        }
        if request.method == .get || request.method == .head || request.method == .options { return }
        try checkPage(of: request)
    }

    /// Refuses the request of a page of another site. It is called for each request that changes something.
    ///
    /// - Throws: ``RequestRejection`` with status 403.
    func checkPage(of request: Request) throws(RequestRejection) {
        if let site = request.headers[.secFetchSite], site.hasSameBytes(as: "cross-site") {
            throw RequestRejection(.forbidden, .crossSite, "A page of another site sent this request, which would change something here.")
        }
        if let origin = request.headers[.origin], !isOwn(origin: origin, of: request) {
            throw RequestRejection(
                .forbidden, .crossSite,
                "A page of \(origin.quoted) sent this request, which would change something here; only pages of this service may.")
        }
    }

    private func isOwn(_ asked: String) -> Bool {
        guard let host, asked.utf8.count <= 300 else { return host == nil }
        let asked = asked.lowercased()
        if Self.withoutPort(asked) == Self.withoutPort(host) { return true }
        return Self.isAddress(Self.withoutPort(asked)) || Self.withoutPort(asked) == "localhost"
    }

    /// Returns whether `origin` is the host of the request, or the configured host. A page of the service
    /// itself has one of them.
    private func isOwn(origin: String, of request: Request) -> Bool {
        guard origin.utf8.count <= 300, !origin.hasSameBytes(as: "null") else { return false }
        let origin = Self.authority(of: origin)
        return origin == host || origin == request.head.authority?.lowercased()
    }

    /// Returns the host and port of a URL. Example: `odcs.example.com` for
    /// `https://odcs.example.com/below`. The default port of the scheme is left out, as browsers do.
    private static func authority(of url: String) -> String {
        let parts = url.lowercased().split(separator: "://", maxSplits: 1)
        let authority = parts.last?.prefix { $0 != "/" } ?? ""
        let usual = parts.first == "https" ? ":443" : ":80"
        return String(authority.hasSuffix(usual) ? authority.dropLast(usual.count) : authority)
    }

    private static func withoutPort(_ authority: String) -> Substring {
        if authority.hasPrefix("[") { return authority.prefix { $0 != "]" }.dropFirst() }
        return authority.prefix { $0 != ":" }
    }

    private static func isAddress(_ host: Substring) -> Bool {
        host.contains(":") ? host.allSatisfy { $0.isHexDigit || ":.%".contains($0) } : host.allSatisfy { $0.isASCIIDigit || $0 == "." }
    }
}

extension HTTPField.Name {
    static let secFetchSite = Self("Sec-Fetch-Site")!
}
