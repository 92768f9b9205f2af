import Foundation
import Identity
import Testing

@testable import OpenID

@Suite("People who log in with a browser")
struct LoginTests {
    private static let login = BrowserLogin(
        returnAddress: "https://odcs.example.org/login/return", state: "state", nonce: "nonce", verifier: Secret("verifier"))

    /// Runs an issuer with logins, whose token endpoint answers with an ID token of these claims.
    private static func run(
        _ claims: [String: String] = [:], _ body: @escaping @Sendable (TestIssuer, OpenIDProvider) async throws -> Void
    ) async throws {
        try await TestIssuer.run { issuer in
            let address = issuer.address
            issuer.answer(
                "/.well-known/openid-configuration",
                .init(
                    body: json([
                        "issuer": quoted(address), "jwks_uri": quoted("\(address)/keys"), "token_endpoint": quoted("\(address)/token"),
                        "authorization_endpoint": quoted("\(address)/auth?tenant=1"), "userinfo_endpoint": quoted("\(address)/userinfo"),
                    ])))
            let token = try issuer.token(["nonce": quoted("nonce"), "groups": "[\"releng\"]"].merging(claims) { $1 })
            issuer.answer("/token", .init(body: json(["id_token": quoted(token), "access_token": quoted("access")])))
            try await body(issuer, try issuer.provider { $0.clientID = "odcs" })
        }
    }

    private static func failure(of provider: OpenIDProvider) async -> CredentialFailure? {
        do throws(CredentialFailure) {
            _ = try await provider.person(with: Secret("code"), of: login)
            return nil
        } catch {
            return error
        }
    }

    @Test("The browser is sent to the provider with state, nonce and the challenge of the verifier")
    func address() async throws {
        try await Self.run { issuer, provider in
            let address = try await provider.address(of: Self.login)
            #expect(
                address
                    == "\(issuer.address)/auth?tenant=1&response_type=code&client_id=odcs"
                    + "&redirect_uri=https%3A%2F%2Fodcs.example.org%2Flogin%2Freturn&scope=openid%20profile&state=state&nonce=nonce"
                    + "&code_challenge=iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ&code_challenge_method=S256")
        }
    }

    @Test("The ID token names the person and the groups")
    func person() async throws {
        try await Self.run { _, provider in
            let person = try await provider.person(with: Secret("code"), of: Self.login)
            #expect(person.account.text == "joe" && person.groups == ["releng"] && person.scopes == nil)
        }
    }

    @Test(
        "An ID token of another login, client, issuer or time is refused",
        arguments: [
            ["nonce": "\"other\""], ["nonce": ""], ["nonce": "7"], ["aud": "\"other\""], ["aud": "[]"], ["aud": "[\"odcs\",\"other\"]"],
            ["azp": "\"other\""], ["iss": "\"https://other.example\""], ["exp": "1"], ["exp": ""], ["events": "{}"],
        ])
    func otherTokens(_ claims: [String: String]) async throws {
        try await Self.run(claims) { _, provider in
            guard case .wrong? = await Self.failure(of: provider) else {
                Issue.record("\(claims) was accepted")
                return
            }
        }
    }

    @Test("A token for several clients is accepted if it names the one that asked")
    func party() async throws {
        try await Self.run(["aud": "[\"odcs\",\"other\"]", "azp": "\"odcs\""]) { _, provider in
            let failure = await Self.failure(of: provider)
            #expect(failure == nil)
        }
    }

    @Test("An ID token with another key's signature is refused")
    func otherKey() async throws {
        try await Self.run { issuer, provider in
            let token = try issuer.token(["nonce": quoted("nonce")], key: .es256("first"))
            issuer.answer("/token", .init(body: json(["id_token": quoted(token)])))
            guard case .wrong? = await Self.failure(of: provider) else {
                Issue.record("it was accepted")
                return
            }
        }
    }

    @Test("UserInfo names the person if the ID token does not, and must be about the same person")
    func userInfo() async throws {
        try await Self.run(["preferred_username": ""]) { issuer, provider in
            issuer.answer("/userinfo", .init(body: #"{"sub": "other", "preferred_username": "alice"}"#))
            #expect(await Self.failure(of: provider) != nil)
            issuer.answer("/userinfo", .init(body: #"{"sub": "1234", "preferred_username": "joe"}"#))
            let person = try await provider.person(with: Secret("code"), of: Self.login)
            #expect(person.account.text == "joe")
        }
    }

    @Test(
        "A code that the provider refuses is wrong, and a provider that is away is no fault of the person", arguments: [400, 401, 500, 302])
    func refusals(status: Int) async throws {
        try await Self.run { issuer, provider in
            issuer.answer("/token", .init(status: status, body: #"{"error": "invalid_grant"}"#, location: "https://evil.example"))
            let failure = await Self.failure(of: provider)
            switch failure {
            case .wrong: #expect(status < 500 && status >= 400)
            case .unavailable: #expect(status == 500 || status == 302)
            default: Issue.record("\(status): \(String(describing: failure))")
            }
        }
    }
}
