import ComposeModel
import ForeignText
import HTTPTypes
import Hummingbird

/// Refuses requests that a page of another site has its reader's browser send, and requests for a host that is not this service.
///
/// Browsers say where a request comes from: `Origin`, and newer ones `Sec-Fetch-Site`. Programs send neither. A page whose own name was made to
/// mean this service's address (DNS rebinding) is of the same origin for a browser, but it names its own host. An address as the host,
/// or `localhost`, is nobody's name, and so such a page cannot use them.
struct CrossSiteMiddleware: RouterMiddleware {
    /// `odcs.example.com`, or with a port `odcs.example.com:8080`; `nil`: any host is taken for the service.
    private let host: String?

    /// - Parameter serverURL: The configured base of all addresses; empty: there is none.
    init(serverURL: String) {
        host = serverURL.isEmpty ? nil : Self.authority(of: serverURL)
    }

    func handle(
        _ request: Request, context: FrontendContext, next: (Request, FrontendContext) async throws -> Response
    ) async throws -> Response {
        if let asked = request.head.authority, let host, !isOwn(asked) {
            throw RequestRejection(
                .forbidden,
                "This service is \(host), not \(asked.quoted). The setting frontend.public_url says under which name it is reached.")
        }
        guard ![.get, .head, .options].contains(request.method) else { return try await next(request, context) }
        if let site = request.headers[.secFetchSite], site.hasSameBytes(as: "cross-site") {
            throw RequestRejection(.forbidden, "A page of another site sent this request, which would change something here.")
        }
        if let origin = request.headers[.origin], !isOwn(origin: origin, of: request) {
            throw RequestRejection(
                .forbidden,
                "A page of \(origin.quoted) sent this request, which would change something here; only pages of this service may.")
        }
        return try await next(request, context)
    }

    private func isOwn(_ asked: String) -> Bool {
        guard let host, asked.utf8.count <= 300 else { return host == nil }
        let asked = asked.lowercased()
        if Self.withoutPort(asked) == Self.withoutPort(host) { return true }
        return Self.isAddress(Self.withoutPort(asked)) || Self.withoutPort(asked) == "localhost"
    }

    /// A page of the service itself has the request's own host in its origin, or the configured one.
    private func isOwn(origin: String, of request: Request) -> Bool {
        guard origin.utf8.count <= 300, !origin.hasSameBytes(as: "null") else { return false }
        let origin = Self.authority(of: origin)
        return origin == host || origin == request.head.authority?.lowercased()
    }

    /// `https://odcs.example.com/below` has `odcs.example.com`. The port that belongs to the scheme is left out, as browsers do.
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
