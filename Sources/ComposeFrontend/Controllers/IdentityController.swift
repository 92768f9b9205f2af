import Hummingbird
import Identity

/// The handler of `/api/1/me`, which shows the sender of the request as the service knows it.
struct IdentityController: Sendable {
    let access: AccessControl

    var resources: [Resource] { [Resource("/api/1/me", [.get: .needs(.known, show)])] }

    private func show(_ request: Request, _ context: FrontendContext, _ grant: Grant) throws -> Response {
        var response = try Response.json(IdentityDocument(grant))
        response.headers[.cacheControl] = "no-store"
        return response
    }
}

/// The body of `GET /api/1/me`: the account of the sender, and its rights.
private struct IdentityDocument: Encodable {
    let account: String
    /// The identity provider that recognized the sender.
    let provider: String
    let groups: [String]
    /// The scopes of the credentials. `nil` if they have none, so that all actions are possible.
    let scopes: [String]?
    /// The id of the API token. `nil` for other credentials.
    let token: String?
    let workload: String?
    let admin: Bool
    /// The rules of `access.clients` that name the sender. `nil` for an admin, whom no rule limits.
    let rules: [Rule]?

    struct Rule: Encodable {
        let name: String
        let maxSecondsToLive: Int?
        let limits: [String: Int]

        enum CodingKeys: String, CodingKey {
            case name, limits
            case maxSecondsToLive = "max_seconds_to_live"
        }

        init(_ rule: ClientRule) {
            name = rule.name
            maxSecondsToLive = rule.maxSecondsToLive
            let all = [
                "waiting": rule.limits.waiting, "under_way": rule.limits.underWay, "requests_per_minute": rule.limits.requestsPerMinute,
                "gigabytes": rule.limits.gigabytes, "watches": rule.limits.watches,
                "build_steps": rule.limits.buildSteps, "build_minutes": rule.limits.buildMinutes,
                "upload_megabytes": rule.limits.uploadMegabytes,
            ]
            limits = all.compactMapValues(\.self)
        }
    }

    init(_ grant: Grant) {
        account = grant.owner
        provider = grant.identity.provider
        groups = grant.identity.groups.sorted()
        scopes = grant.identity.scopes.map { $0.map(\.rawValue).sorted() }
        token = grant.identity.token
        workload = grant.identity.workload
        admin = grant.isAdmin
        rules = grant.rules?.map(Rule.init)
    }
}
