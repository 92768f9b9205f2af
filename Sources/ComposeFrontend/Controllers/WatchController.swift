import ComposeModel
import ComposeStore
import Foundation
import Hummingbird

/// The handlers of `/api/1/watches`. A watch is a standing request for a compose of a Koji tag. The
/// service makes the compose anew whenever the tag's packages change.
struct WatchController: Sendable {
    static let path = "/api/1/watches/"

    let configuration: FrontendConfiguration
    let store: ComposeStore
    let validator: RequestValidator

    var resources: [Resource] {
        [
            Resource("/api/1/watches", [.get: .open(list), .post: .needs(.createCompose, start)]),
            Resource("/api/1/watches/{id}", [.get: .open(show), .delete: .needs(.deleteCompose, end)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let query = try WatchListQuery(request.uri.query, perPage: configuration.perPage)
        let page = try await store.watches(
            owner: query.owner, includingEnded: query.includesEnded,
            hiddenTargets: configuration.access.hiddenTargets(from: context.subject.sender).sorted(), page: query.page,
            perPage: query.perPage)
        let urls = PublicURLs(configuration, request)
        let document = ListDocument(
            page.items.map(urls.document), page: query.page, perPage: query.perPage, total: page.total, asked: query.items,
            url: urls.base + Self.path)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.watchID()
        guard let watch = try await store.watch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        try configuration.access.checkReading(of: watch.request.targetDir, by: context.subject.sender)
        return try .json(PublicURLs(configuration, request).document(watch))
    }

    /// Starts a watch. An owner that asks for a watch again gets the existing one, so a repeated request
    /// needs no key.
    private func start(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        guard let json = try await request.json(limit: configuration.bodyLimit) else {
            throw RequestRejection.badRequest(
                "The body is empty; it must be a JSON object such as {\"source\": {\"type\": \"tag\", \"source\": \"f26\", \"packages\": [\"httpd\"]}}."
            )
        }
        var watched = try validator.watch(ComposeRequestBody(json))
        try grant.admit(watch: &watched)
        let watch = try await store.standingWatch(
            owner: grant.owner, request: watched,
            limit: configuration.callers.watches(of: request, context), limits: grant.limits)
        context.subject.watchID = watch.id
        return try .json(PublicURLs(configuration, request).document(watch))
    }

    func end(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let id = try context.watchID()
        guard let watch = try await store.watch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        try configuration.access.checkReading(of: watch.request.targetDir, by: grant.identity)
        guard grant.isAdmin || grant.owner == watch.owner else {
            throw RequestRejection(.forbidden, .owner, "Not allowed: only \(watch.owner), whose watch \(id) is, or an admin can end it.")
        }
        guard let ended = try await store.endWatch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        return try .json(PublicURLs(configuration, request).document(ended))
    }
}
