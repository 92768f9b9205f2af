import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import Identity
import ImageModel

/// The handlers of `/api/1/rules`: add, list, show and remove rules.
struct RuleController: Sendable {
    static let path = "/api/1/rules/"
    private static let members = RuleSubmission.CodingKeys.allCases.map(\.rawValue)

    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource("/api/1/rules", [.get: .open(list), .post: .needs(.rebuild, add)]),
            Resource("/api/1/rules/{id}", [.get: .open(show), .delete: .needs(.rebuild, remove)]),
        ]
    }

    /// Adds a rule. An owner that asks for a rule again gets the existing one, so a repeated request needs
    /// no key.
    private func add(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(Self.members)
        let images = try AskedRebuild.texts("images", of: body)
        guard !images.isEmpty else {
            throw RequestRejection.badRequest("images is missing. It must be a list of patterns for names of images, such as [\"team/*\"].")
        }
        let watch = try body.integer("watch")
        let followsBase = try body.boolean("base") ?? false
        guard (watch != nil) != followsBase else {
            throw RequestRejection.badRequest(
                watch == nil
                    ? "watch is missing. It is the number of the watch that the images follow. Or let them follow their bases with base: true."
                    : "watch and base are both there. A rule is for one of them.")
        }
        try grant.admit(RebuildSelection(images: images))
        if let watch { try await check(watch, for: grant) }
        switch try await store.addRule(owner: grant.owner, watch: watch, images: images) {
        case .added(let rule):
            context.subject.ruleID = rule.id
            return try .json(RuleDocument(rule))
        case .noWatch: throw RequestRejection.badRequest("Watch \(watch ?? 0) has ended.")
        case .tooMany(let most):
            throw RequestRejection(
                .tooManyRequests, .imageRules,
                "\(grant.owner) has \(most) rules, which is the most that one account may have. Remove one first.")
        }
    }

    /// Throws if images cannot follow a watch, or if the sender may not see its composes.
    private func check(_ id: Int, for grant: Grant) async throws {
        guard let watch = try await store.watch(id) else { throw RequestRejection.badRequest("There is no watch \(id).") }
        try configuration.access.checkReading(of: watch.request.targetDir, by: grant.identity)
        guard watch.request.delivery == .link else {
            throw RequestRejection.badRequest(
                "The composes of watch \(id) only refer to their packages, and a build reads them from the compose. "
                    + "Make the watch without delivery.")
        }
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let query = try WatchListQuery(request.uri.query, perPage: configuration.perPage)
        let page = try await store.rules(
            owner: query.owner, includingEnded: query.includesEnded, page: query.page, perPage: query.perPage)
        let document = ListDocument(
            page.items.map(RuleDocument.init), page: query.page, perPage: query.perPage, total: page.total, asked: query.items,
            url: PublicURLs(configuration, request).base + Self.path)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.ruleID()
        guard let rule = try await store.rule(id) else { throw RequestRejection.noSuchRule("\(id)") }
        return try .json(RuleDocument(rule))
    }

    private func remove(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.ruleID()
        switch try await store.endRule(id, by: Actor(grant)) {
        case nil: throw RequestRejection.noSuchRule("\(id)")
        case .ended(let rule): return try .json(RuleDocument(rule))
        case .notAllowed(let reason): throw RequestRejection(.forbidden, .owner, "Not allowed: \(reason).")
        }
    }
}
