import Hummingbird
import ScriptedService

/// Answers by `router` on a free port of this host while `body` runs, which gets the server's address.
func withLocalServer<R: Sendable>(
    _ router: Router<BasicRequestContext>, _ body: @escaping @Sendable (String) async throws -> R
) async throws -> R {
    try await serving(router.buildResponder()) { try await body("http://127.0.0.1:\($0)") }
}
