import ComposeStore
import Hummingbird
import Identity

/// Recognizes people who look at the pages by the sessions of their browsers.
struct BrowserAccess: Sendable {
    let store: ComposeStore
    let cookies: BrowserCookies
    /// Whether people can log in.
    let canLogIn: Bool
    /// The prefix of links.
    let root: String

    /// Returns the person whose session a browser has, and records the session in the context. Returns
    /// `nil` if there is no session, or if it has ended.
    func visitor(_ request: Request, _ context: FrontendContext) async throws -> Identity? {
        guard let text = cookies.value(cookies.session, of: request), let person = try await store.person(ofSession: Secret(text)) else {
            return nil
        }
        context.subject.session = Secret(text)
        return person
    }
}

/// The fields of a form that a browser sent.
struct SentForm: Sendable {
    private static let mostBytes = 64 << 10

    private let fields: [(key: String, value: String)]

    init(_ request: Request) async throws {
        let buffer = try await request.body.collect(upTo: Self.mostBytes)
        fields = try QueryItems(String(buffer: buffer)).items
    }

    /// The last value of a field. `nil` if it is missing or empty.
    subscript(name: String) -> String? { fields.last { $0.key == name && !$0.value.isEmpty }?.value }

    /// The values of a field in their order. Empty ones are left out, unless they are asked for.
    func all(_ name: String, orEmpty: Bool = false) -> [String] {
        fields.filter { $0.key == name && (orEmpty || !$0.value.isEmpty) }.map(\.value)
    }

    /// Checks that the form is one of this service's pages.
    ///
    /// - Throws: ``RequestRejection`` with status 403 for the form of another site, or of a session that
    ///   has ended.
    func check(_ request: Request, _ context: FrontendContext, _ cookies: BrowserCookies) throws(RequestRejection) {
        guard let token = self["form"], FormKey(request, context, cookies).accepts(token, for: request.uri.path) else {
            throw RequestRejection(
                .forbidden, .crossSite,
                "This form is not from a page that your browser has just read, or you have logged in or out since. Go back, load the page "
                    + "again, and send the form again.")
        }
    }
}
