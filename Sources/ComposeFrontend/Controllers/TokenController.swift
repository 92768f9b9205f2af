import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity

/// The handlers of `/api/1/tokens`: people list, make, rotate and revoke their API tokens.
struct TokenController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    private static let defaultDays = 90
    private static let (mostNote, mostRepositories, mostHours) = (200, 100, 8760)

    var resources: [Resource] {
        [
            Resource("/api/1/tokens", [.get: .needs(.person, list), .post: .needs(.person, create)]),
            Resource("/api/1/tokens/{id}", [.get: .needs(.person, show), .delete: .needs(.person, revoke)]),
            Resource("/api/1/tokens/{id}/rotate", [.post: .needs(.client, rotate)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try service(grant)
        let items = try await store.tokens(owner: grant.identity.account).map { TokenDocument($0) }
        return try .json(TokenList(items: items))
    }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try service(grant)
        return try .json(TokenDocument(try await token(context, grant)))
    }

    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try makingService(grant)
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        return try .json(TokenDocument(try await make(body, by: grant, service, context)), status: .created)
    }

    /// Makes the token that a body describes.
    func make(
        _ body: BodyField, by grant: Grant, _ service: TokenService, _ context: FrontendContext
    ) async throws -> IssuedToken {
        try body.checkMembers(["note", "scopes", "days", "rule", "repositories"])
        guard let note = try body.string("note"), (1...Self.mostNote).contains(note.utf8.count) else {
            throw RequestRejection.badRequest("note must be a text of 1 to \(Self.mostNote) bytes that tells the token from others.")
        }
        let new = NewToken(
            owner: grant.identity.account, groups: grant.identity.groups, note: note.printable(), scopes: try scopes(body, grant),
            rule: try rule(body, grant), repositories: try repositories(body), life: try life(body, service))
        let issued = try await store.createToken(new, by: AuditSender(grant, context))
        context.subject.isAudited = true
        return issued
    }

    /// Gives a token a new text. The old one is accepted for some more time.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if the token is revoked or expired.
    func rotate(
        _ token: APIToken, overlap: Duration, by grant: Grant, _ service: TokenService, _ context: FrontendContext
    ) async throws -> IssuedToken {
        let rotated = try await store.rotateToken(
            token.id, overlap: overlap, atMost: service.mostDays.map { .seconds($0 * 86_400) }, by: AuditSender(grant, context))
        guard let rotated else { throw RequestRejection(.notFound, "The token \(token.id) is revoked or expired. Make a new one.") }
        context.subject.isAudited = true
        return rotated
    }

    private func rotate(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try service(grant)
        let token = try await token(context, grant)
        guard grant.identity.workload == nil, grant.identity.token == nil || grant.identity.token == token.id else {
            throw RequestRejection(.forbidden, .token, "An API token can rotate only itself.")
        }
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["overlap_hours"])
        let hours = try body.integer("overlap_hours") ?? 24
        guard (0...Self.mostHours).contains(hours) else {
            throw RequestRejection.badRequest("overlap_hours must be between 0 and \(Self.mostHours), not \(hours).")
        }
        return try .json(TokenDocument(try await rotate(token, overlap: .seconds(hours * 3600), by: grant, service, context)))
    }

    func revoke(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try service(grant)
        let token = try await token(context, grant)
        let revoked = try await store.revokeToken(token.id, by: AuditSender(grant, context))
        context.subject.isAudited = true
        return try .json(TokenDocument(revoked ?? token))
    }

    /// Returns the token that the path names. A token of another account is as if it did not exist, except
    /// for an admin.
    func token(_ context: FrontendContext, _ grant: Grant) async throws -> APIToken {
        let id = context.parameters.get("id") ?? ""
        guard let token = try await store.token(id), grant.isAdmin || token.owner == grant.identity.account else {
            throw RequestRejection(.notFound, "You have no token \(id.printable(most: 40)).")
        }
        return token
    }

    /// Returns the setup for tokens.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if there are no tokens here.
    func service(_ grant: Grant) throws(RequestRejection) -> TokenService {
        guard let service = configuration.tokens, grant.isKnown else {
            throw RequestRejection(.notFound, "This service takes no API tokens. Its setting auth.mechanisms can name them.")
        }
        return service
    }

    /// Returns the setup for tokens, if the sender may make some.
    func makingService(_ grant: Grant) throws(RequestRejection) -> TokenService {
        let service = try service(grant)
        guard service.isSelfService || grant.isAdmin else {
            throw RequestRejection(
                .forbidden, .admin, "People cannot make tokens here. The operator makes them with 'odcs-server token create'.")
        }
        return service
    }

    private func scopes(_ body: BodyField, _ grant: Grant) throws -> Set<Scope> {
        let names = try body.strings("scopes") ?? []
        let known = Scope.allCases.map(\.rawValue).joined(separator: ", ")
        guard !names.isEmpty else { throw RequestRejection.badRequest("scopes must have at least one of \(known).") }
        var scopes: Set<Scope> = []
        for name in names {
            guard let scope = Scope(rawValue: name) else {
                throw RequestRejection.badRequest("scopes cannot have \(name.quoted). Use some of \(known).")
            }
            try grant.require(scope)
            if [.admin, .manageNodes].contains(scope), !grant.isAdmin {
                throw RequestRejection(.forbidden, .admin, "Only an admin can make a token with the scope \(name).")
            }
            scopes.insert(scope)
        }
        return scopes
    }

    private func rule(_ body: BodyField, _ grant: Grant) throws -> String? {
        guard let name = try body.string("rule") else { return nil }
        guard let rules = grant.rules ?? (grant.isAdmin ? configuration.access.rules.clients : nil),
            rules.contains(where: { $0.name.hasSameBytes(as: name) })
        else { throw RequestRejection.badRequest("rule must be a rule of access.clients that names you, not \(name.quoted).") }
        return name
    }

    private func repositories(_ body: BodyField) throws -> [String]? {
        guard let patterns = try body.strings("repositories") else { return nil }
        guard (1...Self.mostRepositories).contains(patterns.count) else {
            throw RequestRejection.badRequest("repositories must have 1 to \(Self.mostRepositories) patterns such as team/*.")
        }
        for pattern in patterns {
            guard (1...300).contains(pattern.utf8.count), pattern.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                throw RequestRejection.badRequest("repositories cannot have \(pattern.quoted). A pattern is a name such as team/*.")
            }
        }
        return patterns
    }

    private func life(_ body: BodyField, _ service: TokenService) throws -> Duration? {
        let days = try body.integer("days") ?? min(Self.defaultDays, service.mostDays ?? Self.defaultDays)
        if days == 0, service.mostDays == nil { return nil }
        guard (1...(service.mostDays ?? 36_500)).contains(days) else {
            throw RequestRejection.badRequest("days must be between 1 and \(service.mostDays ?? 36_500), not \(days).")
        }
        return .seconds(days * 86_400)
    }
}

extension TokenDocument {
    init(_ issued: IssuedToken) {
        self.init(issued.token)
        token = issued.text.text
    }
}

extension AuditSender {
    init(_ grant: Grant, _ context: FrontendContext) {
        self.init(grant.identity, rule: grant.identity.rule, address: context.peer?.ipAddress, request: context.requestID)
    }
}
