import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Postgres
import Testing

@testable import ComposeFrontend

/// Addresses, methods, and what errors look like.
@Suite struct RoutingTests {
    @Test(
        "every address answers with and without a slash at its end, to HEAD as to GET, and lets any page read it",
        arguments: [
            "/api/1", "/api/1/composes", "/api/1/composes/1", "/api/1/watches", "/api/1/about", "/api/1/metrics", "/odcs/1/composes",
            "/odcs/1/composes/1",
        ])
    func slashes(path: String) async throws {
        try await FrontendFixture.with { frontend in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            let plain = try await frontend.get(path)
            #expect(plain.status == 200)
            #expect(plain.headers[.accessControlAllowOrigin] == "*")
            let slash = try await frontend.get(path + "/")
            #expect(slash.status == 200)
            #expect(try await frontend.request(.head, path + "/no/such").text == "")
            if !path.hasSuffix("metrics") { #expect(slash.text == plain.text) }
            let head = try await frontend.request(.head, path)
            #expect(head.status == 200)
            #expect(head.text == "")
            #expect(head.headers[.contentType] == plain.headers[.contentType])
        }
    }

    @Test(
        "a wrong method is told the right ones",
        arguments: [
            (HTTPRequest.Method.put, "/api/1/composes/", "GET, HEAD, POST, OPTIONS"),
            (.delete, "/api/1/composes", "GET, HEAD, POST, OPTIONS"),
            (.post, "/api/1/composes/1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
            (.put, "/api/1/watches/", "GET, HEAD, POST, OPTIONS"),
            (.patch, "/api/1/watches/1", "GET, HEAD, DELETE, OPTIONS"),
            (.post, "/api/1/about", "GET, HEAD, OPTIONS"),
            (.put, "/odcs/1/composes/1", "GET, HEAD, PATCH, DELETE, OPTIONS"),
            (.post, "/", "GET, HEAD, OPTIONS"),
            (.delete, "/composes/odcs-1/", "GET, HEAD, OPTIONS"),
        ])
    func wrongMethod(method: HTTPRequest.Method, path: String, allow: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.request(method, path, "{}")
            #expect(answer.status == 405)
            #expect(answer.headers[.allow] == allow)
            #expect(
                try answer.json
                    == .object([
                        "status": .integer(405), "error": .string("Method Not Allowed"),
                        "message": .string("\(method.rawValue) is not possible here; these methods are: \(allow)."),
                    ]))
            let options = try await frontend.request(.options, path)
            #expect(options.status == 204)
            #expect(options.headers[.allow] == allow)
        }
    }

    @Test(
        "what is not there is 404, in JSON",
        arguments: [
            ("/api/1/composes/1", "There is no compose 1."), ("/api/1/composes/x", "There is no compose x."),
            ("/api/1/composes/-1", "There is no compose -1."), ("/api/1/composes/+1", "There is no compose +1."),
            ("/api/1/composes/99999999999999999999", "There is no compose 99999999999999999999."),
            ("/odcs/1/composes/0", "There is no compose 0."), ("/api/1/watches/1", "There is no watch 1."),
            ("/api/1/watches/x/", "There is no watch x."),
            ("/api/1/watches/99999999999999999999", "There is no watch 99999999999999999999."),
            ("/api/2/composes/", #"There is nothing at "/api/2/composes/"; the composes are at /api/1/composes/."#),
            ("/composes/odcs-1/COMPOSE_ID", #"There is no file "/composes/odcs-1/COMPOSE_ID"."#),
        ])
    func notFound(path: String, message: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get(path)
            #expect(answer.status == 404)
            let document = try answer.json
            #expect(document == .object(["status": .integer(404), "error": .string("Not Found"), "message": .string(message)]))
        }
    }

    @Test("a browser gets errors as a page, with what it asked for escaped")
    func errorPage() async throws {
        try await FrontendFixture.with { frontend in
            let accept = "text/html,application/xhtml+xml,*/*;q=0.8"
            let answer = try await frontend.get("/api/1/composes/<b>", headers: [.accept: accept])
            #expect(answer.status == 404)
            #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
            #expect(answer.text.contains("<p>There is no compose &lt;b&gt;.</p>"))
            let json = try await frontend.get("/api/1/composes/x", headers: [.accept: "application/json, text/html"])
            #expect(json.headers[.contentType] == "application/json")
        }
    }

    @Test("a method that nobody knows is answered with 501")
    func unknownMethod() async throws {
        try await FrontendFixture.with { frontend in
            let brew = try #require(HTTPRequest.Method("BREW"))
            let answer = try await frontend.request(brew, "/api/1/composes/")
            #expect(answer.status == 501)
            #expect(try answer.message == "This service does not know the method BREW.")
        }
    }

    @Test("about says what the server is and can do")
    func about() async throws {
        try await FrontendFixture.with { frontend in
            let about = try await frontend.get("/api/1/about").json
            #expect(about["version"] == .string("1.2.3"))
            #expect(about["auth_backend"] == .string("noauth"))
            #expect(about["allowed_clients"] == .object(["users": .object([:]), "groups": .object([:])]))
            #expect(about["raw_config_urls"]?["pungi_cfg"]?["url"] == .string("https://example.com/pungi.git"))
            #expect(about["sigkeys"] == .array([]))
            #expect(about["source_types"] == .array(["module", "repo", "raw_config", "pungi_compose"].map(JSONValue.string)))
        }
    }

    @Test("the page for people shows the newest composes, with what came from outside escaped")
    func home() async throws {
        try await FrontendFixture.with { frontend in
            let empty = try await frontend.get("/")
            #expect(empty.status == 200)
            #expect(empty.text.contains("There are no composes yet."))
            _ = try await frontend.database.store.submit(.repo(["<script>"]), owner: "a&b")
            let page = try await frontend.get("/").text
            #expect(page.contains("<bdi>/srv/repo</bdi>") && page.contains("<bdi>&lt;script&gt;</bdi>"))
            #expect(page.contains("<bdi>a&amp;b</bdi>"))
            #expect(page.contains("curl -X POST https://odcs.example.com/api/1/composes/"))
            #expect(!page.contains("<script>"))
            // No script runs, and no other page can show this one in a frame.
            let policy = try #require(empty.headers[.contentSecurityPolicy])
            #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"))
        }
    }

    @Test("metrics count requests by route, and composes by source type and state")
    func metrics() async throws {
        try await FrontendFixture.with { frontend in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            for name in ["a", "b", "c"] { _ = try await frontend.database.store.standingWatch(owner: "me", request: .tag([name])) }
            _ = try await frontend.database.pool.query("UPDATE watches SET problem = 'It is not there.' WHERE id > 1")
            _ = try await frontend.database.store.endWatch(3)
            _ = try await frontend.get("/api/1/composes/1")
            _ = try await frontend.get("/api/1/composes/2")
            _ = try await frontend.get("/no/such/path")
            var tally = WorkTally()
            tally.add(.pin, .seconds(2))
            tally.add(.composeReused, times: 3)
            tally.add(.composeUnchanged, times: 2)
            try await frontend.database.store.record(tally)
            let answer = try await frontend.get("/api/1/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            for line in [
                "odcs_database_up 1", #"odcs_composes{source_type="repo",state="wait"} 1"#, "odcs_queue_depth 1", "odcs_workers_alive 0",
                #"odcs_watches{look="good"} 1"#, #"odcs_watches{look="failed"} 1"#, "odcs_tokens_expiring 0",
                #"odcs_http_requests_total{method="GET",route="/api/1/composes/{id}",status="200"} 1"#,
                #"odcs_http_requests_total{method="GET",route="/api/1/composes/{id}",status="404"} 1"#,
                #"odcs_http_requests_total{method="GET",route="NotFound",status="404"} 1"#,
                #"odcs_http_request_duration_seconds_bucket{route="/api/1/composes/{id}",le="+Inf"} 2"#,
                "# TYPE odcs_http_request_duration_seconds histogram",
                #"odcs_phase_duration_seconds_bucket{phase="pin",le="0.1"} 0"#,
                #"odcs_phase_duration_seconds_bucket{phase="pin",le="5"} 1"#,
                #"odcs_phase_duration_seconds_bucket{phase="pin",le="+Inf"} 1"#,
                #"odcs_phase_duration_seconds_sum{phase="pin"} 2"#, #"odcs_phase_duration_seconds_count{phase="pin"} 1"#,
                #"odcs_phase_duration_seconds_count{phase="publish"} 0"#,
                #"odcs_settled_composes_total{outcome="reused"} 3"#, #"odcs_settled_composes_total{outcome="built"} 0"#,
                #"odcs_settled_composes_total{outcome="unchanged"} 2"#, #"odcs_metadata_lookups_total{cache="hit"} 0"#,
            ] {
                #expect(answer.text.split(separator: "\n").contains(line[...]), "\(line)")
            }
        }
    }

    @Test("without a configured URL, answers use the host that was asked, unless it is none")
    func host() async throws {
        try await FrontendFixture.with(configure: { $0.serverURL = "" }) { frontend in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            #expect(
                try await frontend.get("/api/1/composes/1").json["toplevel_url"] == .string("http://localhost/composes/odcs-1"))
        }
    }
}
