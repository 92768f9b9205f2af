import HTTPTypes
import Hummingbird
import NIOCore

/// Makes the answers that are pages. A page is a value, which has no HTML, and a template of the same
/// name.
///
/// Example: `pages.response("why", title: "Why bash", page: value, request, context)`.
struct WebPages: Sendable {
    private static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
        + "base-uri 'none'; frame-ancestors 'none'"

    let configuration: FrontendConfiguration

    /// The prefix of each link: the path of the service's public address. Example: `/odcs`, or nothing.
    var root: String { PublicURLs.path(of: configuration.serverURL) }

    func site(_ request: Request, _ context: FrontendContext) -> Site { Site(configuration, request, context) }

    /// Returns a page.
    ///
    /// - Parameters:
    ///   - template: The name of the template in ``PageTemplates``.
    ///   - page: The values of the page, as a structure. The template finds its properties by their names.
    ///   - site: The values of all pages, if the caller has made them for its forms.
    func response(
        _ template: String, title: String, page: Any, _ request: Request, _ context: FrontendContext, site: Site? = nil,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let site = site ?? self.site(request, context)
        let html = PageTemplates.all.render(template, PageFrame(site: site, title: title, page: page))
        var response = Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: Self.policy, .xContentTypeOptions: "nosniff",
                .cacheControl: "private, no-cache",
            ],
            body: .init(byteBuffer: ByteBuffer(string: html)))
        response.headers[HTTPField.Name("Referrer-Policy")!] = "same-origin"
        if let cookie = site.cookie { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }

    /// Returns an answer that leads to another page of this service.
    ///
    /// - Parameter path: A path without the prefix. Example: `/compose/12`.
    func redirect(to path: String) -> Response {
        Response(status: .seeOther, headers: [.location: root + path, .cacheControl: "no-store"])
    }
}
