import Foundation
import Identity
import Testing

@testable import OpenID

@Suite("People and workloads by their tokens")
struct ProviderTests {
    @Test(
        "Names that look like others, or that cannot be seen, are refused",
        arguments: [
            "", " joe", "joe ", "joe\n", "joe\u{202E}", "jo\u{200B}e", "e\u{301}", "unknown", String(repeating: "a", count: 10_000),
            "ci/lockfiles",
        ])
    func names(_ name: String) async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider { $0.reserved = [try! AccountName("ci/lockfiles")] }
            #expect(try await refuses(provider, issuer.token(["preferred_username": quoted(name)])))
        }
    }

    @Test("Names are kept byte by byte", arguments: ["Joe", "joe", "joe@A", "joe@B", "joe/admin", "é", "*", ")(", "o'brien"])
    func keptNames(_ name: String) async throws {
        try await TestIssuer.run { issuer in
            let sender = try await identity(by: issuer.provider(), issuer.token(["preferred_username": quoted(name)]))
            #expect(sender?.account.text.utf8.elementsEqual(name.utf8) == true)
        }
    }

    @Test("A user claim that is missing or no text", arguments: ["", "7", "null", "[\"joe\"]", "{}"])
    func userClaim(_ value: String) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await refuses(issuer.provider(), issuer.token(["preferred_username": value])))
        }
    }

    @Test("A prefix keeps the people of two providers apart, and does not make a name of an empty one")
    func prefix() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider { $0.prefix = "partner/" }
            #expect(try await identity(by: provider, issuer.token())?.account.text == "partner/joe")
            #expect(try await refuses(provider, issuer.token(["preferred_username": "\"\""])))
        }
    }

    @Test("A mail address counts only if the issuer has verified it")
    func mail() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider { $0.userClaim = "email" }
            #expect(try await refuses(provider, issuer.token(["email": "\"joe@example.org\""])))
            #expect(try await refuses(provider, issuer.token(["email": "\"joe@example.org\"", "email_verified": "\"true\""])))
            let good = try issuer.token(["email": "\"joe@example.org\"", "email_verified": "true"])
            #expect(try await identity(by: provider, good)?.account.text == "joe@example.org")
        }
    }

    @Test(
        "Groups: a list, one text, none, and forms that are refused",
        arguments: [
            (#"["a","b"]"#, ["a", "b"]), (#""a b,c""#, ["a b,c"]), ("", []), ("[]", []), (#"[["a"]]"#, nil), (#"{"a":1}"#, nil),
            (#"["a",1]"#, nil),
            ("7", nil),
        ] as [(String, Set<String>?)])
    func groups(_ claim: String, _ groups: Set<String>?) async throws {
        try await TestIssuer.run { issuer in
            let (provider, token) = (try issuer.provider(), try issuer.token(["groups": claim]))
            if let groups {
                #expect(try await identity(by: provider, token)?.groups == groups)
            } else {
                #expect(try await refuses(provider, token))
            }
        }
    }

    @Test("Scopes lose their prefix, and unknown ones do not count")
    func scopes() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider {
                $0.scopePrefix = "https://pagure.io/odcs/"
                $0.requiredScopes = ["openid"]
            }
            let scope = "openid https://pagure.io/odcs/new-compose https://pagure.io/odcs/x renew-compose"
            #expect(try await identity(by: provider, issuer.token(["scope": quoted(scope)]))?.scopes == [.newCompose])
            #expect(try await identity(by: provider, issuer.token(["scp": #"["openid"]"#]))?.scopes == [])
            let missing = try await failure(of: provider, issuer.token(["scope": "\"profile\""]))
            #expect(missing == .forbidden("The token lacks the scope openid, which every request needs."))
            let unchecked = try issuer.provider { $0.checksScopes = false }
            #expect(try await identity(by: unchecked, issuer.token()) != nil)
            #expect(try await identity(by: unchecked, issuer.token())?.scopes == nil)
        }
    }

    // MARK: Opaque tokens

    private let active = ["active": "true", "aud": "\"odcs\"", "preferred_username": "\"joe\"", "scope": "\"openid new-compose\""]

    private func introspecting(_ issuer: TestIssuer, _ mode: OpenIDSettings.Introspection = .opaque) throws -> OpenIDProvider {
        try issuer.provider(secret: Secret("s3cret")) {
            $0.introspection = mode
            $0.clientID = "odcs"
        }
    }

    @Test("The issuer is asked about an opaque token, once a minute")
    func opaque() async throws {
        try await TestIssuer.run { issuer in
            let provider = try introspecting(issuer)
            issuer.answer("/introspection", .init(body: json(active)))
            for _ in 0..<3 { #expect(try await identity(by: provider, "opaque")?.account.text == "joe") }
            #expect(issuer.count("/introspection") == 1)
            issuer.answer("/introspection", .init(body: #"{"active":false}"#))
            issuer.pass(.seconds(60))
            #expect(try await refuses(provider, "opaque"))
            // A refusal is not kept.
            issuer.answer("/introspection", .init(body: json(active)))
            #expect(try await identity(by: provider, "opaque") != nil)
        }
    }

    @Test("An answer about an opaque token is not used longer than the token lives")
    func opaqueExpiry() async throws {
        try await TestIssuer.run { issuer in
            let provider = try introspecting(issuer)
            issuer.answer("/introspection", .init(body: json(active.merging(["exp": "1800000010"]) { $1 })))
            #expect(try await identity(by: provider, "opaque") != nil)
            issuer.pass(.seconds(10))
            #expect(try await identity(by: provider, "opaque") != nil)
            #expect(issuer.count("/introspection") == 2)
            issuer.pass(.seconds(60))
            #expect(try await refuses(provider, "opaque"))
        }
    }

    @Test(
        "Answers about opaque tokens that do not show a good token for this service",
        arguments: [
            ["active": "\"true\""], ["active": "1"], ["active": ""], ["aud": "\"other\""], ["aud": ""],
            ["iss": "\"https://evil.example.org\""],
            ["exp": "1"], ["preferred_username": ""], ["nbf": "1900000000"],
        ])
    func badAnswers(_ change: [String: String]) async throws {
        try await TestIssuer.run { issuer async throws in
            issuer.answer("/introspection", .init(body: json(active.merging(change) { $1 }.filter { !$0.value.isEmpty })))
            #expect(try await refuses(introspecting(issuer), "opaque"))
        }
    }

    @Test("An introspection that fails, or that refuses this service's own secret, gives 503", arguments: [401, 403, 500, 302])
    func introspectionAway(_ status: Int) async throws {
        try await TestIssuer.run { issuer async throws in
            issuer.answer("/introspection", .init(status: status, body: ""))
            #expect(try await isAway(introspecting(issuer), "opaque"))
        }
    }

    @Test("API tokens of this service are not shown to an issuer")
    func apiTokens() async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await identity(by: introspecting(issuer), "odcs_0123456789_secret") == nil)
            #expect(issuer.requests == [])
        }
    }

    @Test("A signed token that its issuer took back is refused if the issuer is always asked")
    func always() async throws {
        try await TestIssuer.run { issuer async throws in
            issuer.answer("/introspection", .init(body: #"{"active":false}"#))
            #expect(try await refuses(introspecting(issuer, .always), issuer.token()))
            #expect(try await failure(of: introspecting(issuer, .opaque), issuer.token()) == nil)
            // A forged token is not shown to the issuer.
            let count = issuer.count("/introspection")
            #expect(try await refuses(introspecting(issuer, .always), issuer.token(key: .es256("first"))))
            #expect(issuer.count("/introspection") == count)
        }
    }

    // MARK: UserInfo

    @Test("Groups come from UserInfo, for five minutes")
    func userInfo() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider { $0.groupsFrom = .userinfo }
            let many = (0..<10_000).map { "\"g\($0)\"" }.joined(separator: ",")
            issuer.answer("/userinfo", .init(body: #"{"sub":"1234","groups":[\#(many)]}"#))
            let token = try issuer.token(["exp": "1800009999", "groups": "[\"admins\"]"])
            for _ in 0..<3 { #expect(try await identity(by: provider, token)?.groups.count == 10_000) }
            #expect(issuer.count("/userinfo") == 1)
            issuer.pass(.seconds(300))
            issuer.answer("/userinfo", .init(body: #"{"sub":"1234"}"#))
            #expect(try await identity(by: provider, token)?.groups == [])
        }
    }

    @Test("UserInfo about another person, and UserInfo that fails, give 503 or no groups")
    func userInfoFails() async throws {
        try await TestIssuer.run { issuer in
            for answer in [
                TestIssuer.Answer(body: #"{"sub":"5","groups":["admins"]}"#), .init(status: 500, body: ""), .init(body: "<html>"),
            ] {
                issuer.answer("/userinfo", answer)
                let required = try issuer.provider { $0.groupsFrom = .userinfo }
                #expect(try await isAway(required, issuer.token()))
                let optional = try issuer.provider {
                    $0.groupsFrom = .userinfo
                    $0.groupsRequired = false
                }
                #expect(try await identity(by: optional, issuer.token())?.groups == [])
            }
            issuer.answer("/userinfo", .init(status: 401, body: ""))
            #expect(try await refuses(issuer.provider { $0.groupsFrom = .userinfo }, issuer.token()))
        }
    }

    // MARK: Workloads

    private func workloads(_ issuer: TestIssuer, _ claims: [String: ClaimPattern]) throws -> WorkloadProvider {
        WorkloadProvider([
            (
                try issuer.issuer(),
                [WorkloadRule(name: "lockfiles", audience: "odcs", claims: claims, account: try AccountName("ci/lockfiles"))]
            )
        ])
    }

    @Test("A job is recognized by its claims")
    func workload() async throws {
        try await TestIssuer.run { issuer in
            let provider = try workloads(
                issuer, ["repository_id": ClaimPattern(["123456"]), "ref": ClaimPattern(["refs/heads/main", "refs/tags/v*"])])
            for (id, ref) in [("\"123456\"", "refs/heads/main"), ("123456", "refs/tags/v1")] {
                let sender = try await identity(by: provider, issuer.token(["repository_id": id, "ref": quoted(ref)]))
                #expect(sender?.account.text == "ci/lockfiles")
                #expect(sender?.workload == "lockfiles")
                #expect(sender?.groups == [])
            }
            for (id, ref) in [
                ("\"1234567\"", "refs/heads/main"), ("\"123456\"", "refs/heads/main2"), ("", "refs/heads/main"),
                ("[123456]", "refs/tags/v1"),
            ] {
                let problem = try await failure(of: provider, issuer.token(["repository_id": id, "ref": quoted(ref)]))
                #expect(problem == .forbidden("The token is good, but no workload of this service has its claims."))
            }
            #expect(
                try await refuses(
                    provider, issuer.token(["repository_id": "\"123456\"", "ref": "\"refs/heads/main\"", "aud": "\"other\""])))
        }
    }

    @Test("Workloads do not take tokens of other issuers")
    func foreignWorkload() async throws {
        try await TestIssuer.run { one in
            try await TestIssuer.run { other in
                let provider = try workloads(one, ["sub": ClaimPattern(["1234"])])
                #expect(try await identity(by: provider, other.token()) == nil)
                #expect(try await refuses(provider, one.token(key: other.key)))
                #expect(try await identity(by: provider, "opaque") == nil)
            }
        }
    }

    @Test(
        "A rule on an issuer that serves everybody has to pin a number",
        arguments: [
            ("https://token.actions.githubusercontent.com", ["repository": "team/web"], false),
            ("https://token.actions.githubusercontent.com", ["repository_id": "123456"], true),
            ("https://token.actions.githubusercontent.com/", ["repository_id": "1*"], false),
            ("https://GitLab.com", ["project_path": "team/web"], false), ("https://gitlab.com", ["namespace_id": "7"], true),
            ("https://gitlab.example.org", ["project_path": "team/web"], true),
        ])
    func pins(_ issuer: String, _ claims: [String: String], _ isSafe: Bool) throws {
        let rule = WorkloadRule(
            name: "x", audience: "odcs", claims: claims.mapValues { ClaimPattern([$0]) }, account: try AccountName("ci/x"))
        #expect((rule.missingPin(at: try #require(ProviderURL(issuer))) == nil) == isSafe)
    }
}
