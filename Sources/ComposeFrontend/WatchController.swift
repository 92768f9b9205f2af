import ComposeModel
import ComposeStore
import ForeignText
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
            Resource("/api/1/watches", [.get: list, .post: start]),
            Resource("/api/1/watches/{id}", [.get: show, .delete: end]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let query = try WatchListQuery(request.uri.query, perPage: configuration.perPage)
        let page = try await store.watches(
            owner: query.owner, includingEnded: query.includesEnded, page: query.page, perPage: query.perPage)
        let urls = PublicURLs(configuration, request)
        let document = ListDocument(
            page.items.map(urls.document), page: query.page, perPage: query.perPage, total: page.total, asked: query.items,
            url: urls.base + Self.path)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.watchID()
        guard let watch = try await store.watch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        return try .json(PublicURLs(configuration, request).document(watch))
    }

    /// Starts a watch. An owner that asks for a watch again gets the existing one, so a repeated request
    /// needs no key.
    private func start(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let principal = try await configuration.authorize(request, .newCompose)
        guard let json = try await request.json(limit: configuration.bodyLimit) else {
            throw RequestRejection.badRequest(
                "The body is empty; it must be a JSON object such as {\"source\": {\"type\": \"tag\", \"source\": \"f26\", \"packages\": [\"httpd\"]}}."
            )
        }
        let watch = try await store.standingWatch(
            owner: principal.name, request: try validator.watch(ComposeRequestBody(json)),
            limit: configuration.callers.watches(of: request, context))
        context.subject.watchID = watch.id
        return try .json(PublicURLs(configuration, request).document(watch))
    }

    private func end(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.watchID()
        let principal = try await configuration.principal(of: request, .deleteCompose)
        guard let watch = try await store.watch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        guard principal.isAdmin || principal.name == watch.owner else {
            throw RequestRejection(.forbidden, "Not allowed: only \(watch.owner), whose watch \(id) is, or an admin can end it.")
        }
        guard let ended = try await store.endWatch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        return try .json(PublicURLs(configuration, request).document(ended))
    }
}

extension RequestValidator {
    /// Returns the compose request of a watch. It may have the members that a compose of a tag may have,
    /// except those that fix the state of the tag or of modules.
    ///
    /// - Throws: ``RequestRejection`` if the source is not a single tag, or if a member cannot be used with
    ///   a watch.
    func watch(_ body: ComposeRequestBody) throws(RequestRejection) -> ComposeRequest {
        guard body.sourceType == SourceType.tag.name else {
            let asked = body.sourceType.map { "is \($0.quoted)" } ?? "is missing"
            throw .badRequest("source.type \(asked); it must be \"tag\": only the packages of a Koji tag can be watched.")
        }
        // If the server cannot compose from tags at all, other faults do not matter. That error is reported
        // first.
        let request = try request(body)
        if body.kojiEvent != nil {
            throw .badRequest(
                "source.koji_event cannot be used with a watch, which is for what the tag becomes; a compose can be of what it was at an event."
            )
        }
        for (member, asked) in [
            ("modular_koji_tags", !request.modularKojiTags.isEmpty), ("scratch_modules", !request.scratchModules.isEmpty),
            ("module_defaults_url", request.moduleDefaultsURL != nil),
        ] where asked {
            throw .badRequest(
                "source.\(member) cannot be used with a watch: only changes of the tag itself are noticed, not those of modules.")
        }
        guard request.source.count == 1 else {
            throw .badRequest("source.source has \(request.source.count) words; a watch is of one Koji tag.")
        }
        return request
    }
}

/// The query of the list of watches: filters and page. Unknown keys are ignored, and so are filters
/// without a value.
struct WatchListQuery: Sendable {
    /// Every key and value of the query, decoded, in the order of the query.
    let items: [(key: String, value: String)]
    private(set) var owner: String?
    private(set) var includesEnded = false
    private(set) var page = 1
    private(set) var perPage: Int

    init(_ query: String?, perPage limits: (default: Int, maximum: Int)) throws(RequestRejection) {
        items = try QueryItems(query).items
        perPage = limits.default
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "owner":
                guard owner == nil || owner == value else {
                    throw .badRequest("owner is there more than once; a list of watches is of one owner, or of all.")
                }
                owner = value
            case "include_ended": includesEnded = try Self.truth(value, key)
            case "page": page = try QueryItems.number(value, key, from: 1)
            case "per_page": perPage = min(try QueryItems.number(value, key, from: 1), limits.maximum)
            default: break
            }
        }
    }

    private static func truth(_ text: String, _ key: String) throws(RequestRejection) -> Bool {
        switch text {
        case "true", "1": true
        case "false", "0": false
        default: throw .badRequest("\(key) must be true or false, not \(text.quoted).")
        }
    }
}
