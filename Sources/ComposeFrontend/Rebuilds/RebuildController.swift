import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import Identity
import ImageModel
import Rebuilds

/// The handlers of `/api/1/rebuilds`: ask for rebuilds or only for their plans, list, show and cancel
/// them.
struct RebuildController: Sendable {
    static let path = "/api/1/rebuilds/"

    let configuration: FrontendConfiguration
    let store: ComposeStore
    let validator: RequestValidator

    var resources: [Resource] {
        [
            Resource("/api/1/rebuilds", [.get: .open(list), .post: .needs(.rebuild, create)]),
            Resource("/api/1/rebuilds/{id}", [.get: .open(show), .delete: .needs(.rebuild, cancel)]),
        ]
    }

    private var plans: RebuildPlans { RebuildPlans(store: store, directories: configuration.targets.mapValues(\.path)) }

    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let asked = try AskedRebuild(try await request.json(limit: configuration.bodyLimit), by: grant)
        try grant.admit(asked.selection)
        let key = try IdempotencyKey(request.headers)?.text
        let rebuild: Rebuild
        switch asked.fix {
        case .builds(let builds):
            try grant.require(.newCompose)
            var compose = try validator.request(ComposeRequestBody(builds: builds, arches: try await arches(for: asked.selection)))
            try grant.admit(&compose)
            rebuild = try await store.submitRebuild(
                making: compose, limit: configuration.callers.composes(of: request, context), because: asked.reason,
                selection: asked.selection, owner: grant.owner, dateTag: asked.dateTag, priority: asked.priority,
                limits: grant.limits, unless: key)
        case .compose(let id):
            context.subject.composeID = id
            let compose = try await compose(id, for: grant)
            let isRepeated = if let key { try await store.hasRebuild(of: key, owner: grant.owner) } else { false }
            // A request that is sent again needs no plan. Its compose may be gone meanwhile.
            let needsPlan = asked.isDryRun || compose.state.isFinal && !isRepeated
            let drawn = needsPlan ? try await plans.plan(with: compose, asked.selection) : nil
            if let drawn, asked.isDryRun { return try .json(document(drawn, compose.id, asked)) }
            rebuild = try await store.submitRebuild(
                drawn?.plan, for: compose.id, because: asked.reason, selection: asked.selection, owner: grant.owner,
                dateTag: asked.dateTag, priority: asked.priority, limits: grant.limits, unless: key)
        }
        context.subject.composeID = rebuild.compose
        context.subject.rebuildID = rebuild.id
        return try .json(try await document(rebuild))
    }

    /// Returns the document of a plan that is only shown.
    private func document(_ drawn: DrawnPlan, _ compose: Int, _ asked: AskedRebuild) -> RebuildDocument {
        RebuildDocument(
            drawn.plan, compose: compose, reason: asked.reason, selection: asked.selection,
            repositories: drawn.images.mapValues(\.repository), knownImages: drawn.total)
    }

    /// Returns the architectures that the selected images need, as far as there are composes for them.
    private func arches(for selection: RebuildSelection) async throws -> [String] {
        let platforms = try await store.platformsOfImages().filter { !selection.leavesOut($0.key) }.values.flatMap(\.self)
        let allowed = configuration.limits.allowedArches
        return Set(platforms.compactMap(\.rpmArchitecture)).filter { allowed.isEmpty || allowed.contains($0) }.sorted()
    }

    /// Returns the compose of a new rebuild. It may not be done yet.
    private func compose(_ id: Int, for grant: Grant) async throws -> Compose {
        guard let compose = try await store.compose(id) else { throw RequestRejection.badRequest("There is no compose \(id).") }
        try configuration.access.checkReading(of: compose.request.targetDir, by: grant.identity)
        guard compose.request.sourceType.traits.hasRepository else {
            throw RequestRejection.badRequest("Compose \(id) has no repository that a build could use.")
        }
        guard compose.request.delivery == .link else {
            throw RequestRejection.badRequest(
                "Compose \(id) only refers to its packages, and a build reads them from the compose. Make it without delivery.")
        }
        return compose
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let items = try QueryItems(request.uri.query).items
        var (number, perPage) = (1, configuration.perPage.default)
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "page": number = try QueryItems.number(value, key, from: 1)
            case "per_page": perPage = min(try QueryItems.number(value, key, from: 1), configuration.perPage.maximum)
            default: break
            }
        }
        let page = try await store.rebuilds(page: number, perPage: perPage)
        let repositories = try await store.repositories(of: page.items.flatMap { $0.rows.map(\.plan.image) })
        let document = ListDocument(
            page.items.map { RebuildDocument($0, repositories: repositories) }, page: number, perPage: perPage, total: page.total,
            asked: items, url: PublicURLs(configuration, request).base + Self.path)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.rebuildID()
        guard let rebuild = try await store.rebuild(id) else { throw RequestRejection.noSuchRebuild("\(id)") }
        return try .json(try await document(rebuild))
    }

    private func document(_ rebuild: Rebuild) async throws -> RebuildDocument {
        RebuildDocument(rebuild, repositories: try await store.repositories(of: rebuild.rows.map(\.plan.image)))
    }

    func cancel(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.rebuildID()
        guard let rebuild = try await store.rebuild(id) else { throw RequestRejection.noSuchRebuild("\(id)") }
        if rebuild.state.isFinal, rebuild.owner == grant.owner || grant.isAdmin {
            throw RequestRejection.badRequest("Rebuild \(id) is in state \(rebuild.state.name) already. One that goes on can be canceled.")
        }
        switch try await store.cancelRebuild(id, by: Actor(grant)) {
        case nil: throw RequestRejection.noSuchRebuild("\(id)")
        case .canceled: return try .json(Acknowledgement(message: "Rebuild \(id) has been canceled."), status: .accepted)
        case .notAllowed(let reason): throw RequestRejection(.forbidden, .owner, "Not allowed: \(reason).")
        }
    }
}
