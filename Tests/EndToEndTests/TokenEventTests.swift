import ComposeModel
import ComposeStore
import ComposeTestKit
import Identity
import Postgres
import SystemPackage
import Testing

/// The event of a token that expires soon, by a whole service.
@Suite(.timeLimit(.minutes(3))) struct TokenEventTests {
    @Test("a token that expires soon is told to the addresses for tokens, and to no others", arguments: [0, 2])
    func expiring(refusals: Int) async throws {
        try await WebhookReceiver.with(refusals: refusals) { admins in
            try await WebhookReceiver.with { everybody in
                let more = "events: {webhooks: [\"\(everybody.url)\"], token_webhooks: [\"\(admins.url)\"]}"
                try await TestService.running(more: more) { service, server in
                    let new = NewToken(
                        owner: try AccountName("osbs"), note: "nightly CI", scopes: [.newCompose], life: .seconds(90 * 86_400))
                    let token = try await service.store.createToken(new, by: AuditSender()).token
                    _ = try await service.database.pool.query(
                        "UPDATE tokens SET created_at = created_at - interval '80 days', expires_at = expires_at - interval '80 days'")
                    // The worker may have announced the token already.
                    _ = try await service.store.announceTokens(expiringWithin: APIToken.warning)
                    let first = await admins.messages.first { _ in true }
                    let message = try #require(first)
                    #expect(message.event == "token-expiring")
                    #expect(message.compose == nil && message.build == nil)
                    let document = try #require(message.token)
                    let stored = try #require(try await service.store.token(token.id))
                    #expect(document == TokenDocument(stored))
                    #expect(document.owner == "osbs" && document.note == "nightly CI" && document.token == nil)

                    _ = try await server.submit("repo", Checkout.testsRepo.string, "libed-data")
                    let other = await everybody.messages.first { _ in true }
                    #expect(other?.event == "state-changed" && other?.token == nil)
                }
            }
        }
    }
}
