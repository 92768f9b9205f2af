import Hummingbird

/// The handlers of the addresses for supervisors and load balancers: whether the process answers, and
/// whether it can serve requests. They look at no credentials.
struct HealthController: Sendable {
    let readiness: Readiness

    var resources: [Resource] {
        [Resource("/healthz", [.get: .unguarded(health)]), Resource("/readyz", [.get: .unguarded(ready)])]
    }

    private struct Health: Encodable {
        let status: String
    }

    private func health(_ request: Request, _ context: FrontendContext) throws -> Response {
        try .json(Health(status: "alive"))
    }

    private func ready(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let problems = await readiness.problems()
        guard problems.isEmpty else {
            throw RequestRejection(.serviceUnavailable, problems.joined(separator: " "), headers: [.retryAfter: "5"])
        }
        return try .json(Health(status: "ready"))
    }
}
