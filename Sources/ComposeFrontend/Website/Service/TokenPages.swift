import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity

/// The page of a person's API tokens, and the forms that make, rotate and revoke them.
struct TokenPages: Sendable {
    let pages: WebPages
    let store: ComposeStore
    let tokens: TokenController

    var resources: [Resource] {
        [
            Resource("/tokens", [.get: .personalPage(.person, list), .post: .form(.person, create)]),
            Resource("/tokens/{id}/rotate", [.post: .form(.person, rotate)]),
            Resource("/tokens/{id}/revoke", [.post: .form(.person, revoke)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        try await response(request, context, grant, issued: nil)
    }

    private func response(
        _ request: Request, _ context: FrontendContext, _ grant: Grant, issued: TokensPage.Issued?
    ) async throws -> Response {
        let service = try tokens.service(grant)
        let site = pages.site(request, context)
        let list = try await store.tokens(owner: grant.identity.account).map { TokenDocument($0) }
        let create = service.isSelfService || grant.isAdmin ? site.form("/tokens") : nil
        let page = TokensPage(list, site, create: create, isAdmin: grant.isAdmin, mostDays: service.mostDays, issued: issued)
        var response = pages.response("tokens", title: "API tokens", page: page, request, context, site: site)
        response.headers[.cacheControl] = "no-store"
        return response
    }

    private func create(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try tokens.makingService(grant)
        var members: [String: JSONValue] = ["scopes": .array(form.all("scopes").map(JSONValue.string))]
        if let note = form["note"] { members["note"] = .string(note) }
        if let text = form["days"] {
            guard let days = Int(text) else { throw RequestRejection.badRequest("The days must be a number, not \(text.quoted).") }
            members["days"] = .integer(days)
        }
        let made = try await tokens.make(try BodyField(root: .object(members)), by: grant, service, context)
        // The answer itself shows the token, because its text is kept nowhere.
        return try await response(request, context, grant, issued: .init(title: "Your new token", text: made.text.text))
    }

    private func rotate(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try tokens.service(grant)
        let token = try await tokens.token(context, grant)
        let rotated = try await tokens.rotate(token, overlap: .seconds(86_400), by: grant, service, context)
        return try await response(
            request, context, grant,
            issued: .init(title: "The new text of the token. The old one is accepted for a day.", text: rotated.text.text)
        )
    }

    private func revoke(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await tokens.revoke(request, context, grant)
        return pages.redirect(to: "/tokens")
    }
}

/// A person's tokens, and the form for a new one.
struct TokensPage: Sendable {
    /// The text of a token, which is shown once.
    struct Issued: Sendable {
        let title, text: String
    }

    struct Row: Sendable {
        let id, note, scopes: String
        let rule: String?
        let expires, used: ShownTime?
        let rotate, revoke: PageForm
    }

    let rows: [Row]
    let hasRows: Bool
    let create: PageForm?
    let days: Int
    let scopes: [Choice]
    let issued: Issued?

    init(_ tokens: [TokenDocument], _ site: Site, create: PageForm?, isAdmin: Bool, mostDays: Int?, issued: Issued?) {
        rows = tokens.map { token in
            Row(
                id: token.id, note: token.note.shown(200), scopes: token.scopes.joined(separator: ", ").shown(200),
                rule: token.rule?.shown(100), expires: token.timeToExpire.map { ShownTime(iso: $0) },
                used: token.timeUsed.map { ShownTime(iso: $0) }, rotate: site.form("/tokens/\(token.id)/rotate"),
                revoke: site.form("/tokens/\(token.id)/revoke"))
        }
        hasRows = !rows.isEmpty
        self.create = create
        days = min(90, mostDays ?? 90)
        let forAdmins: [Scope] = [.admin, .manageNodes]
        scopes = Choice.of(
            Scope.allCases.filter { isAdmin || !forAdmins.contains($0) }.map { ($0.rawValue, $0.rawValue) },
            chosen: Scope.newCompose.rawValue)
        self.issued = issued
    }
}
