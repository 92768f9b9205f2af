import ComposeModel
import ComposeStore
import Hummingbird
import Identity

/// The handlers of the first published form (0.0.1), at `/odcs/1/composes`. The answers are the same,
/// but requests can have an older shape. PATCH and DELETE came with later versions, still at this
/// address.
struct LegacyController: Sendable {
    let composes: ComposeController

    var resources: [Resource] {
        [
            Resource(
                "/odcs/1/composes",
                [.get: .open { try await composes.list($0, $1, path: "/odcs/1/composes/") }, .post: .needs(.client, create)]),
            Resource(
                "/odcs/1/composes/{id}",
                [
                    .get: .open(composes.show), .patch: .needs(.renewCompose, composes.renew),
                    .delete: .needs(.deleteCompose, composes.delete),
                ]),
        ]
    }

    /// One address makes and renews composes, so the scope depends on the body.
    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        guard let json = try await request.json(limit: composes.configuration.bodyLimit) else {
            throw RequestRejection.badRequest(
                "The body is empty; it must be a JSON object such as {\"source_type\": \"repo\", \"source\": \"https://…\"}.")
        }
        let body = try BodyField(root: json)
        if body.member("id") != nil {
            return try await regenerate(body, request, context, grant)
        }
        try grant.require(.newCompose)
        return try await composes.submit(
            try composes.validator.request(ComposeRequestBody(legacy: json)), by: grant, request, context)
    }

    /// Makes compose N again from its inputs, for the body `{"id": N}`.
    private func regenerate(
        _ body: BodyField, _ request: Request, _ context: FrontendContext, _ grant: Grant
    ) async throws -> Response {
        guard let id = try body.integer("id") else { throw RequestRejection.badRequest("id is missing.") }
        try grant.require(.renewCompose)
        let renewal = try composes.validator.renewal(RenewalBody(secondsToLive: try SecondsToLive.all(in: body)))
        let compose = try await composes.compose(id, for: grant.identity)
        guard compose.state == .removed || compose.state == .failed else {
            throw RequestRejection.badRequest(
                "Compose \(id) is in state \(compose.state.name); only one that is removed or failed can be made again.")
        }
        return try await composes.renew(id, renewal, by: grant, request, context)
    }
}
