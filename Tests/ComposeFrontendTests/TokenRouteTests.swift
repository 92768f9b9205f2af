import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Identity
import Testing

@testable import ComposeFrontend

/// `/api/1/tokens` and `/api/1/audit`.
@Suite struct TokenRouteTests {
    private static let tokens = "/api/1/tokens/"

    /// Runs `body` with a frontend that knows names and API tokens.
    private static func with(
        _ service: TokenService = TokenService(),
        clients: [ClientRule] = [ClientRule(name: "everyone", members: Members(groups: ["clients"]))],
        _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        try await FrontendFixture.with(
            configure: {
                $0.tokens = service
                $0.access.rules = AccessRules(admins: Members(users: ["admin"]), clients: clients)
            },
            providers: { [TokenProvider(store: $0), NamedProvider()] }, body)
    }

    private static func create(_ frontend: FrontendFixture, _ body: String = #"{"note": "CI", "scopes": ["new-compose"]}"#) async throws
        -> Answer
    {
        try await frontend.request(.post, tokens, body)
    }

    @Test("a person makes a token, which asks for composes as its owner, rotates itself, and is revoked")
    func life() async throws {
        try await Self.with { frontend in
            let joe = frontend.by("joe")
            let made = try await Self.create(joe)
            #expect(made.status == 201, "\(made.text)")
            let (id, text) = (try #require(made.json["id"]?.string), try #require(made.json["token"]?.string))
            let token = frontend.by(text)
            let compose = try await token.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#)
            #expect(compose.status == 200, "\(compose.text)")
            #expect(try compose.json["owner"] == .string("joe"))
            #expect(try await token.request(.patch, "/api/1/composes/1", "{}").status == 403)

            let rotated = try await token.request(.post, "\(Self.tokens)\(id)/rotate", #"{"overlap_hours": 0}"#)
            let newText = try #require(rotated.json["token"]?.string)
            #expect(try await token.get("/api/1/composes/1").status == 401)
            #expect(try await frontend.by(newText).get("/api/1/composes/1").status == 200)

            let list = try await joe.get(Self.tokens)
            #expect(try list.json["items"]?[0]?["id"] == .string(id))
            #expect(!list.text.contains(newText) && !list.text.contains(text))
            #expect(try await joe.request(.delete, Self.tokens + id).status == 200)
            #expect(try await frontend.by(newText).get("/api/1/composes/1").status == 401)
            #expect(try await joe.get(Self.tokens).json["items"] == .array([]))
        }
    }

    @Test("a token makes, shows and revokes no tokens, and rotates no other one")
    func tokenAlone() async throws {
        try await Self.with { frontend in
            let (one, two) = (try await Self.create(frontend.by("joe")).json, try await Self.create(frontend.by("joe")).json)
            let token = frontend.by(try #require(one["token"]?.string))
            let other = try #require(two["id"]?.string)
            #expect(try await Self.create(token).status == 403)
            #expect(try await token.get(Self.tokens).status == 403)
            #expect(try await token.request(.delete, Self.tokens + other).status == 403)
            #expect(try await token.request(.post, "\(Self.tokens)\(other)/rotate").status == 403)
        }
    }

    @Test("a token of another account is as if it did not exist, except for an admin")
    func foreign() async throws {
        try await Self.with { frontend in
            let id = try #require(try await Self.create(frontend.by("joe")).json["id"]?.string)
            for (method, path) in [(HTTPRequest.Method.get, ""), (.delete, ""), (.post, "/rotate")] {
                let answer = try await frontend.by("eve").request(method, Self.tokens + id + path)
                #expect(answer.status == 404)
                #expect(try answer.json["message"] == .string("You have no token \(id)."))
            }
            #expect(try await frontend.by("admin").request(.delete, Self.tokens + id).status == 200)
        }
    }

    @Test("nobody makes a token with more than they have")
    func notWider() async throws {
        try await Self.with { frontend in
            let joe = frontend.by("joe")
            for (body, status, message) in [
                (#"{"note": "x", "scopes": ["admin"]}"#, 403, "Only an admin can make a token with the scope admin."),
                (
                    #"{"note": "x", "scopes": ["new-compose"], "rule": "others"}"#, 400,
                    #"rule must be a rule of access.clients that names you, not "others"."#
                ),
                (#"{"note": "x", "scopes": ["new-compose"], "days": 366}"#, 400, "days must be between 1 and 365, not 366."),
                (#"{"note": "x", "scopes": ["new-compose"], "days": 0}"#, 400, "days must be between 1 and 365, not 0."),
                (
                    #"{"note": "", "scopes": ["new-compose"]}"#, 400,
                    "note must be a text of 1 to 200 bytes that tells the token from others."
                ),
            ] {
                let answer = try await Self.create(joe, body)
                #expect(answer.status == status)
                #expect(try answer.json["message"] == .string(message))
            }
            #expect(try await Self.create(frontend.by("renewer")).status == 403)
            #expect(try await Self.create(frontend.by("guest")).status == 403)
            #expect(try await Self.create(frontend).status == 401)
            #expect(try await joe.get(Self.tokens).json["items"] == .array([]))
        }
    }

    @Test("without self service only an admin makes tokens, and without authentication there are none")
    func switchedOff() async throws {
        try await Self.with(TokenService(isSelfService: false)) { frontend in
            let refused = try await Self.create(frontend.by("joe"))
            #expect(refused.status == 403)
            let made = try await Self.create(frontend.by("admin"))
            #expect(made.status == 201)
        }
        try await FrontendFixture.with { frontend in
            let absent = try await frontend.get(Self.tokens)
            #expect(absent.status == 404)
        }
    }

    @Test("writes, refused writes and wrong credentials are audited for admins, without secrets")
    func audit() async throws {
        try await Self.with { frontend in
            let made = try await Self.create(frontend.by("joe")).json
            let text = try #require(made["token"]?.string)
            _ = try await frontend.by(text).post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#)
            _ = try await frontend.by("guest").request(.delete, "/api/1/composes/1")
            _ = try await frontend.by(text + "x").get("/api/1/composes/1")
            _ = try await frontend.by("joe").get("/api/1/composes/1")
            #expect(try await frontend.by("joe").get("/api/1/audit").status == 403)
            let audit = try await frontend.by("admin").get("/api/1/audit")
            guard case .array(let items)? = try audit.json["items"] else {
                Issue.record("\(audit.text)")
                return
            }
            let rows = items.map { item in
                ["outcome", "account", "action", "object"].map { item[$0]?.string ?? "-" }.joined(separator: " ")
            }
            #expect(
                rows == [
                    "refused - GET /api/1/composes/{id} /api/1/composes/1", "refused guest DELETE /api/1/composes/{id} /api/1/composes/1",
                    "done joe POST /api/1/composes compose 1", "done joe token.use token \(made["id"]?.string ?? "")",
                    "done joe token.create token \(made["id"]?.string ?? "")",
                ])
            #expect(!audit.text.contains(text.dropFirst(16)))
        }
    }

    @Test("metrics count refused credentials of each provider, and the tokens that end soon")
    func metrics() async throws {
        try await Self.with { frontend in
            let joe = frontend.by("joe")
            for days in [7, 90] {
                #expect(try await Self.create(joe, #"{"note": "CI", "scopes": ["new-compose"], "days": \#(days)}"#).status == 201)
            }
            for _ in 1...2 { #expect(try await frontend.by("odcs_short").get("/api/1/about").status == 401) }
            let lines = try await frontend.get("/api/1/metrics").text.split(separator: "\n")
            for line in [
                "odcs_tokens_expiring 1", #"odcs_identity_provider_up{provider="tokens"} 1"#,
                #"odcs_identity_failures_total{provider="tokens",why="wrong"} 2"#,
                #"odcs_identity_failures_total{provider="tokens",why="unavailable"} 0"#,
            ] {
                #expect(lines.contains(line[...]), "\(line)")
            }
        }
    }

    @Test("metrics count refused and throttled requests by provider and reason, and name no sender")
    func refusals() async throws {
        var rule = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        rule.limits.waiting = 1
        rule.limits.requestsPerMinute = 3
        try await Self.with(clients: [rule]) { frontend in
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            let requests: [(FrontendFixture, HTTPFields, Int)] = [
                (frontend, [:], 401), (frontend.by("odcs_short"), [:], 401), (frontend, [.authorization: "Basic eDp5"], 401),
                (frontend.by("guest"), [:], 403), (frontend.by("reader"), [:], 403),
                (frontend.by("joe"), [.origin: "https://stranger.example"], 403), (frontend.by("joe"), [:], 200),
                (frontend.by("joe"), [:], 429), (frontend.by("joe"), [:], 429), (frontend.by("joe"), [:], 429),
            ]
            for (sender, headers, status) in requests {
                let answer = try await sender.request(.post, "/api/1/composes/", body, headers: headers)
                #expect(answer.status == status, "\(answer.text)")
            }
            #expect(try await frontend.by("ursula").get("/api/1/audit").status == 403)
            let metrics = try await frontend.get("/api/1/metrics").text
            let refused = metrics.split(separator: "\n").filter { $0.hasPrefix("odcs_http_requests_refused_total") }
            #expect(
                refused.map { $0.dropFirst("odcs_http_requests_refused_total".count) } == [
                    #"{status="401",provider="none",why="no-credentials"} 1"#, #"{status="401",provider="none",why="unknown-kind"} 1"#,
                    #"{status="401",provider="tokens",why="wrong-credentials"} 1"#, #"{status="403",provider="named",why="admin"} 1"#,
                    #"{status="403",provider="named",why="no-rule"} 1"#, #"{status="403",provider="named",why="scope"} 1"#,
                    #"{status="403",provider="none",why="cross-site"} 1"#, #"{status="429",provider="named",why="requests-per-minute"} 1"#,
                    #"{status="429",provider="named",why="waiting-composes"} 2"#,
                ])
            for name in ["joe", "ursula", "guest", "odcs_short"] { #expect(!metrics.contains(name)) }
        }
    }

    @Test("the limits of an account answer 429 with the time to wait, and store nothing")
    func limits() async throws {
        var rule = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        rule.limits.waiting = 1
        try await Self.with(clients: [rule]) { frontend in
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            #expect(try await frontend.by("joe").post(body).status == 200)
            let refused = try await frontend.by("joe").post(body)
            #expect(refused.status == 429)
            #expect(refused.headers[.retryAfter] == "60")
            #expect(
                try refused.json["message"]
                    == .string(
                        "1 compose of joe waits already, which is the limit. Ask again when some of them have begun, or cancel those that "
                            + "you do not need."))
            #expect(try await frontend.composesStored == 1)
            #expect(try await frontend.by("eve").post(body).status == 200)
        }
    }
}

/// The counters of refusals and requests, at times that the tests choose.
@Suite struct RateTests {
    @Test("60 refusals of an address are recorded in a minute, and the next one names the number of the others")
    func refusals() {
        let (counter, start) = (RefusalCounter(), ContinuousClock.now)
        let decisions = (0..<70).map { _ in counter.count("192.0.2.7", at: start) }
        #expect(decisions.filter { $0 == .passedOver }.count == 10)
        #expect(counter.count("192.0.2.8", at: start) == .recorded(passedOver: 0))
        #expect(counter.count("192.0.2.7", at: start + .seconds(61)) == .recorded(passedOver: 10))
    }

    @Test("an account can send as many requests in a minute as it may, and then one whenever its bucket has one")
    func requests() throws {
        let (rates, start) = (RequestRates(), ContinuousClock.now)
        for _ in 0..<30 { try rates.take("joe", perMinute: 30, at: start) }
        let refused = #expect(throws: RequestRejection.self) { try rates.take("joe", perMinute: 30, at: start) }
        #expect(refused?.status == .tooManyRequests)
        #expect(refused?.headers[.retryAfter] == "2")
        try rates.take("eve", perMinute: 30, at: start)
        try rates.take("joe", perMinute: 30, at: start + .seconds(2))
        #expect(throws: RequestRejection.self) { try rates.take("joe", perMinute: 30, at: start + .seconds(2)) }
    }

    @Test("after 20 wrong credentials in a minute an address has to wait, and other addresses have not")
    func failures() throws {
        let (rates, start) = (RequestRates(), ContinuousClock.now)
        for _ in 0..<20 {
            try rates.checkFailures(of: "192.0.2.7", at: start)
            rates.recordFailure(of: "192.0.2.7", at: start)
        }
        #expect(throws: RequestRejection.self) { try rates.checkFailures(of: "192.0.2.7", at: start) }
        try rates.checkFailures(of: "192.0.2.8", at: start)
        try rates.checkFailures(of: "192.0.2.7", at: start + .seconds(4))
    }
}
