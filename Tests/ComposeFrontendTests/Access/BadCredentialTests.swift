import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// Credentials that are not accepted, in requests about objects that exist and about others that do
/// not.
@Suite struct BadCredentialTests {
    private struct Case {
        let fields: [(HTTPField.Name, String)]
        let status: Int

        init(_ status: Int, _ fields: (HTTPField.Name, String)...) {
            self.fields = fields
            self.status = status
        }

        var headers: HTTPFields {
            var headers = HTTPFields()
            for (name, value) in fields { headers.append(HTTPField(name: name, value: value)) }
            return headers
        }
    }

    private static func token(_ store: ComposeStore, life: Duration?) async throws -> IssuedToken {
        let new = NewToken(owner: try AccountName("joe"), groups: ["clients"], note: "CI", scopes: [.newCompose], life: life)
        return try await store.createToken(new, by: AuditSender())
    }

    @Test("credentials that are malformed, expired, foreign, oversized or there twice do not show whether an object exists")
    func nothingShown() async throws {
        try await FrontendFixture.with(
            configure: { $0.access = .named }, providers: { [TokenProvider(store: $0), NamedProvider()] }
        ) { frontend in
            let store = frontend.database.store
            let id = try await store.submit(.repo(), owner: "joe").id
            let (good, revoked) = (try await Self.token(store, life: nil), try await Self.token(store, life: nil))
            _ = try await store.revokeToken(revoked.token.id, by: AuditSender())
            let expired = try await Self.token(store, life: .zero)
            let text = good.text.text
            let cases = [
                Case(401, (.authorization, "Bearer \(expired.text.text)")), Case(401, (.authorization, "Bearer \(revoked.text.text)")),
                Case(401, (.authorization, "Bearer \(text.dropLast())")),
                Case(401, (.authorization, "Bearer odcs_\(expired.token.id)\(text.dropFirst(15))")),
                Case(401, (.authorization, "Bearer \(String(repeating: "x", count: 60_000))")), Case(401, (.authorization, "Bearer")),
                Case(401, (.authorization, "Basic hunter2")), Case(401, (.authorization, "Negotiate YII=")),
                Case(401, (.authorization, "Digest hunter2")), Case(401, (.authorization, "")), Case(401, (.apiKey, "")),
                Case(400, (.authorization, "Bearer \(text)"), (.authorization, "Bearer \(text)")),
                Case(400, (.apiKey, text), (.apiKey, text)), Case(400, (.authorization, "Bearer \(text)"), (.apiKey, "hunter2")),
            ]
            for bad in cases {
                for (method, path) in [
                    (HTTPRequest.Method.get, "/api/1/composes/"), (.patch, "/api/1/composes/"), (.delete, "/api/1/composes/"),
                    (.delete, "/api/1/watches/"), (.delete, "/api/1/tokens/"),
                ] {
                    var messages: Set<String> = []
                    for object in path.hasSuffix("tokens/") ? [good.token.id, "0000000000"] : ["\(id)", "99"] {
                        let answer = try await frontend.request(method, path + object, headers: bad.headers)
                        #expect(answer.status == bad.status, "\(method) \(path) \(answer.text)")
                        #expect((answer.headers[.wwwAuthenticate] != nil) == (bad.status == 401))
                        messages.insert(try answer.message ?? "")
                    }
                    #expect(messages.count == 1, "\(messages)")
                    #expect(!messages.contains { $0.contains("hunter2") || $0.contains(text.dropFirst(16)) })
                }
            }
        }
    }
}
