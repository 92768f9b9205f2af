import ForeignText
import Hummingbird
import Identity

/// The values that every page has: the place of the service, and the person who looks.
struct Site: Sendable {
    /// The prefix of each link: the path of the service's public address. Example: `/odcs`, or nothing.
    let root: String
    let style: String
    let script: String
    let icon: String
    let version: String
    /// The account of the person. `nil` if the person is not known.
    let account: String?
    let isAdmin: Bool
    /// Whether the person has a session that can be ended.
    let logout: PageForm?
    /// The address of the login that comes back to this page. `nil` if the person is known, or if there is
    /// no login.
    let login: String?
    let hasTokens: Bool
    let buildsImages: Bool
    /// The text in the search field.
    var query = ""
    /// The key of forms.
    fileprivate let key: FormKey

    init(_ configuration: FrontendConfiguration, _ request: Request, _ context: FrontendContext) {
        root = PublicURLs.path(of: configuration.serverURL)
        let assets = PageAssets.all
        (style, script, icon) = (assets.style.name, assets.script.name, assets.icon.name)
        version = configuration.version
        let sender = context.subject.sender
        account = sender.flatMap { $0.isKnown ? $0.account.text : nil }
        isAdmin = configuration.access.possibleGrant(.admin, to: sender) != nil
        let cookies = BrowserCookies(serverURL: configuration.serverURL)
        key = FormKey(request, context, cookies)
        logout = context.subject.session == nil ? nil : PageForm("/logout", root: root, key: key)
        let path = request.uri.path
        let back = (path.hasPrefix("/login") ? "/" : path) + (request.uri.query.map { "?\($0)" } ?? "")
        login = sender == nil && configuration.hasWebLogin ? "\(root)/login?return_to=\(back.percentEncoded)" : nil
        hasTokens = configuration.tokens != nil && account != nil
        buildsImages = configuration.images != nil
    }

    /// Returns a form that is sent to a path of the service.
    ///
    /// - Parameter path: The path without the prefix. Example: `/compose/12/renew`.
    func form(_ path: String) -> PageForm { PageForm(path, root: root, key: key) }

    /// The value of `Set-Cookie` for a browser that has no key for forms yet.
    var cookie: String? { key.cookie }
}

/// A form of a page. Its token shows that it comes from a page of this service.
struct PageForm: Sendable {
    let action: String
    let token: String

    fileprivate init(_ path: String, root: String, key: FormKey) {
        action = root + path
        token = key.token(for: path)
    }
}
