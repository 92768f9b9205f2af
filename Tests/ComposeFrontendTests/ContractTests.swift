import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// The HTTP contract that clients of the reference implementation rely on, row by row.
@Suite struct ContractTests {
    private static let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#

    /// A frontend with compose 1 in state done, 2 in failed, and 3 to 6 in wait.
    private static func withComposes(_ body: @escaping @Sendable (FrontendFixture) async throws -> Void) async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            _ = try await store.submit(.repo(), owner: "unknown")
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            _ = try await store.settle(lease, as: .pinned(.repo()), source: "/srv/repo", reason: { _ in "" })
            _ = try await store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done: 1 package.") { _ in
            }
            let canceled = try await store.submit(.repo(), owner: "unknown").id
            _ = try await store.delete(canceled, by: Actor(name: "unknown", isAdmin: true))
            for _ in 3...6 { _ = try await store.submit(.repo(), owner: "unknown") }
            try await body(frontend)
        }
    }

    // MARK: Routes

    private static let routes: [(method: HTTPRequest.Method, path: String, body: String?, status: Int, type: String)] = [
        (.get, "/api/1/composes", nil, 200, "application/json"),
        (.post, "/api/1/composes", body, 200, "application/json"),
        (.get, "/api/1/composes/1", nil, 200, "application/json"),
        (.patch, "/api/1/composes/1", nil, 200, "application/json"),
        (.patch, "/api/1/composes/2", #"{"seconds_to_live": 60}"#, 200, "application/json"),
        (.delete, "/api/1/composes/3", nil, 202, "application/json"),
        (.get, "/api/1", nil, 200, "application/json"),
        (.get, "/api/1/about", nil, 200, "application/json"),
        (.get, "/api/1/metrics", nil, 200, "text/plain; version=0.0.4; charset=utf-8"),
        (.get, "/", nil, 200, "text/html; charset=utf-8"),
        (.get, "/composes", nil, 200, "text/html; charset=utf-8"),
        (.get, "/odcs/1/composes", nil, 200, "application/json"),
        (.post, "/odcs/1/composes", #"{"source_type": "repo", "source": "/srv/repo"}"#, 200, "application/json"),
        (.post, "/odcs/1/composes", #"{"id": 2}"#, 200, "application/json"),
        (.get, "/odcs/1/composes/1", nil, 200, "application/json"),
        (.patch, "/odcs/1/composes/1", nil, 200, "application/json"),
        (.delete, "/odcs/1/composes/4", nil, 202, "application/json"),
    ]

    @Test("every route answers at once, with and without the slash, never by a redirect", arguments: ["", "/"])
    func routes(slash: String) async throws {
        try await Self.withComposes { frontend in
            for route in Self.routes {
                let path = route.path == "/" ? "/" : route.path + slash
                let answer = try await frontend.request(route.method, path, route.body)
                #expect(answer.status == route.status, "\(route.method) \(path): \(answer.text)")
                #expect(answer.headers[.contentType] == route.type, "\(route.method) \(path)")
                #expect(answer.headers[.location] == nil)
                #expect((answer.headers[.accessControlAllowOrigin] == "*") == (route.method == .get), "\(route.method) \(path)")
            }
        }
    }

    @Test("a compose's files are served, whole, in part and on condition")
    func files() async throws {
        try await FrontendFixture.with { frontend in
            try frontend.write("0123456789", to: "odcs-1/COMPOSE_ID")
            let whole = try await frontend.get("/composes/odcs-1/COMPOSE_ID")
            #expect(whole.text == "0123456789")
            let part = try await frontend.get("/composes/odcs-1/COMPOSE_ID", headers: [.range: "bytes=4-"])
            #expect(part.status == 206)
            #expect(part.text == "456789")
            #expect(try await frontend.get("/composes/odcs-1/COMPOSE_ID", headers: [.range: "bytes=10-"]).status == 416)
            let tag = try #require(whole.headers[.eTag])
            #expect(try await frontend.get("/composes/odcs-1/COMPOSE_ID", headers: [.ifNoneMatch: tag]).status == 304)
            #expect(try await frontend.get("/composes/odcs-1/pungi-stderr.log", headers: [.range: "bytes=0-"]).status == 404)
        }
    }

    // MARK: A compose

    private enum Kind: String {
        case integer, string, words
        case maybeInteger, maybeString
        case list
    }

    /// Every member of a compose, and what it is.
    private static let members: [(String, Kind)] = [
        ("id", .integer), ("owner", .string), ("source_type", .integer), ("source", .words), ("state", .integer), ("state_name", .string),
        ("state_reason", .maybeString), ("time_submitted", .string), ("time_started", .maybeString), ("time_done", .maybeString),
        ("time_to_expire", .maybeString), ("time_removed", .maybeString), ("removed_by", .maybeString), ("result_repo", .string),
        ("result_repofile", .string), ("toplevel_url", .string), ("flags", .list), ("results", .list), ("sigkeys", .string),
        ("koji_event", .maybeInteger), ("koji_task_id", .maybeInteger), ("packages", .maybeString), ("builds", .maybeString),
        ("arches", .words), ("multilib_arches", .words), ("multilib_method", .integer), ("lookaside_repos", .words),
        ("modular_koji_tags", .maybeString), ("module_defaults_url", .maybeString), ("label", .maybeString),
        ("compose_type", .maybeString), ("pungi_compose_id", .maybeString), ("scratch_modules", .maybeString),
        ("parent_pungi_compose_ids", .maybeString), ("scratch_build_tasks", .maybeString), ("modules", .maybeString),
        ("respin_of", .maybeString), ("base_module_br_name", .maybeString), ("base_module_br_stream", .maybeString),
        ("base_module_br_stream_version_lte", .maybeInteger), ("base_module_br_stream_version_gte", .maybeInteger),
        ("target_dir", .string),
    ]

    private static func check(_ compose: JSONValue?, _ what: String) {
        #expect(Set(members.map(\.0)) == SubmissionTests.contract)
        for (name, kind) in members {
            let value = compose?[name]
            let isRight =
                switch (kind, value) {
                case (.integer, .integer?), (.string, .string?), (.list, .array?): true
                case (.words, .string(let words)?): !words.contains("  ")
                case (.maybeInteger, .integer?), (.maybeInteger, .null?), (.maybeString, .string?), (.maybeString, .null?): true
                default: false
                }
            #expect(isRight, "\(what): \(name) is \(value.map { "\($0)" } ?? "absent"), not \(kind.rawValue)")
            if name.hasPrefix("time_"), case .string(let time)? = value {
                #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil, "\(what): \(name) is \(time)")
            }
        }
    }

    @Test("a waiting compose shows its place in the queue, and no list does")
    func queue() async throws {
        try await Self.withComposes { frontend in
            #expect(try await frontend.get("/api/1/composes/1").json["queue"] == .null)
            _ = try await frontend.database.store.workerIsAlive("w", slots: 1)
            for path in ["/api/1/composes/5", "/odcs/1/composes/5"] {
                let queue = try await frontend.get(path).json["queue"]
                #expect(queue?["position"] == .integer(3))
                #expect(queue?["ahead"] == .integer(2))
                #expect(queue?["reason"] == .string("2 composes are ahead, 2 of them yours."))
                guard case .integer? = queue?["estimate_seconds"] else { Issue.record("no estimate: \(String(describing: queue))"); return }
            }
            #expect(try await !frontend.get("/api/1/composes").text.contains("\"queue\""))
            #expect(try await !frontend.post(Self.body).text.contains("\"queue\""))
        }
    }

    @Test("every member is there in whichever state a compose is, and in every answer that has one")
    func members() async throws {
        try await Self.withComposes { frontend in
            Self.check(try await frontend.post(Self.body).json, "POST")
            Self.check(try await frontend.request(.patch, "/api/1/composes/1").json, "PATCH of done")
            Self.check(try await frontend.request(.patch, "/api/1/composes/2").json, "PATCH of failed")
            for id in 1...3 {
                let compose = try await frontend.get("/api/1/composes/\(id)").json
                Self.check(compose, "GET of compose \(id)")
                #expect(compose["pungi_config_dump"] == .null)
                #expect((compose["state_reason"] == .null) == (id == 3))
            }
            _ = try await frontend.request(.delete, "/api/1/composes/1")
            _ = try await frontend.database.store.expire(limit: 10)
            let removed = try await frontend.get("/api/1/composes/1").json
            Self.check(removed, "GET of removed")
            #expect(removed["state_name"] == .string("removed"))
            guard case .array(let items)? = try await frontend.get("/api/1/composes/").json["items"] else {
                Issue.record("the list has no items")
                return
            }
            #expect(items.count == 8)
            for item in items { Self.check(item, "the list") }
        }
    }

    @Test("times are the second in which something happened, in UTC")
    func times() throws {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"), (1_763_719_199.999_999, "2025-11-21T09:59:59Z"), (951_782_399.9, "2000-02-28T23:59:59Z"),
        ] {
            #expect(ComposeDocument.format(Date(timeIntervalSince1970: seconds)) == text)
        }
    }

    @Test("what was asked for comes back as one string with single spaces, in the caller's order")
    func words() async throws {
        try await FrontendFixture.with(configure: { $0.admission.capabilities = .all }) { frontend in
            let compose = try await frontend.post(
                """
                {"source": {"type": "tag", "source": " f42-b  f42-a ", "packages": ["zsh", "ed"], "builds": ["zsh-1-1", "ed-1-1"],
                    "sigkeys": ["fd431d51", "", "0123456789ABCDEF"], "modular_koji_tags": ["z", "a"]},
                 "arches": ["x86_64", "aarch64"], "multilib_arches": ["x86_64", "s390x"], "lookaside_repos": ["/srv/z", "/srv/a"]}
                """
            ).json
            for (name, words) in [
                ("source", "f42-b f42-a"), ("packages", "zsh ed"), ("builds", "zsh-1-1 ed-1-1"),
                ("sigkeys", "fd431d51  0123456789ABCDEF"), ("modular_koji_tags", "z a"), ("arches", "x86_64 aarch64"),
                ("multilib_arches", "x86_64 s390x"), ("lookaside_repos", "/srv/z /srv/a"),
            ] {
                #expect(compose[name] == .string(words))
            }
            #expect(try await frontend.database.store.compose(1)?.request.sigkeys == ["fd431d51", "", "0123456789ABCDEF"])
        }
    }

    @Test("no packages, or an empty list of them, means all")
    func noPackages() async throws {
        try await FrontendFixture.with { frontend in
            for members in ["", #", "packages": []"#] {
                let answer = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"\#(members)}}"#)
                #expect(answer.status == 200)
                let id = try #require(try answer.json["id"]?.integer)
                #expect(try await frontend.database.store.compose(id)?.request.packages == [])
            }
        }
    }

    // MARK: Names and numbers

    private static let sources: [(type: String, number: Int, source: String)] = [
        ("tag", 1, #""source": "f42""#), ("module", 2, #""source": "nodejs:22""#), ("module", 2, #""scratch_modules": ["nodejs:22:1:c"]"#),
        ("repo", 3, #""source": "/srv/repo""#), ("pulp", 4, #""source": "rhel-9-for-x86_64""#),
        ("raw_config", 5, #""source": "pungi_cfg#abc""#), ("build", 6, #""builds": ["ed-1.20-3.fc42"]"#),
        ("pungi_compose", 7, #""source": "https://example.com/compose/""#),
    ]

    @Test("source types have these names and numbers, and are found by either")
    func sourceTypes() async throws {
        try await FrontendFixture.with(configure: { $0.admission.capabilities = .all }) { frontend in
            for (type, number, source) in Self.sources {
                let answer = try await frontend.post(#"{"source": {"type": "\#(type)", \#(source)}}"#)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(try answer.json["source_type"] == .integer(number))
                for filter in [type, "\(number)"] {
                    let list = try await frontend.get("/api/1/composes/?source_type=\(filter)").json
                    #expect(list["items"]?[0]?["source_type"] == .integer(number))
                    #expect(list["items"]?[0]?["id"] == (try answer.json["id"]))
                }
            }
        }
    }

    @Test("a source type whose system is not configured is refused, and told which setting is missing", arguments: ["tag", "pulp"])
    func notConfigured(type: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(#"{"source": {"type": "\#(type)", "source": "x"}}"#)
            #expect(answer.status == 400)
            let message = try #require(try answer.message)
            #expect(message.hasSuffix("is missing in its configuration."))
        }
    }

    @Test("states have these names and numbers, and are found by either")
    func states() async throws {
        #expect(ComposeState.allCases.map(\.name) == ["wait", "generating", "done", "removed", "failed"])
        #expect(ComposeState.allCases.map(\.rawValue) == [0, 1, 2, 3, 4])
        try await Self.withComposes { frontend in
            _ = try await frontend.database.store.claim(by: "w", for: .seconds(60))
            for (name, number, count) in [("wait", 0, 3), ("generating", 1, 1), ("done", 2, 1), ("removed", 3, 0), ("failed", 4, 1)] {
                for filter in [name, "\(number)"] {
                    let list = try await frontend.get("/api/1/composes/?state=\(filter)").json
                    #expect(list["meta"]?["total"] == .integer(count), "\(filter)")
                    guard count > 0 else { continue }
                    #expect(list["items"]?[0]?["state"] == .integer(number))
                    #expect(list["items"]?[0]?["state_name"] == .string(name))
                }
            }
        }
    }

    @Test("flags, results and multilib methods have these names and bits")
    func bits() async throws {
        let flags = [
            ("no_deps", 1), ("no_inheritance", 2), ("include_unpublished_pulp_repos", 4), ("check_deps", 8), ("include_done_modules", 16),
            ("ignore_absent_pulp_repos", 32), ("no_reuse", 64), ("use_only_compatible_arch", 128), ("no_label", 256),
        ]
        let results = [("repository", 1), ("iso", 2), ("ostree", 4), ("boot.iso", 8)]
        #expect(ComposeFlags.names.map(\.name) == flags.map(\.0))
        #expect(ComposeResults.names.map(\.name) == results.map(\.0))
        try await FrontendFixture.with { frontend in
            func post(_ members: String) async throws -> JSONValue {
                try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}, \#(members)}"#).json
            }
            func request(_ compose: JSONValue) async throws -> ComposeRequest? {
                try await frontend.database.store.compose(try #require(compose["id"]?.integer))?.request
            }
            for (name, bit) in flags {
                let compose = try await post(#""flags": ["\#(name)"]"#)
                #expect(compose["flags"] == .array([.string(name)]))
                #expect(try await request(compose)?.flags.rawValue == bit)
            }
            for (name, bit) in results {
                let compose = try await post(#""results": ["\#(name)"]"#)
                let shown = Set(["repository", name])
                #expect(compose["results"] == .array(results.map(\.0).filter(shown.contains).map(JSONValue.string)))
                #expect(try await request(compose)?.results.rawValue == bit | 1)
            }
            for (name, bit) in [("none", 0), ("iso", 0), ("runtime", 1), ("devel", 2), ("all", 4)] {
                #expect(try await post(#""multilib_method": ["\#(name)"]"#)["multilib_method"] == .integer(bit))
            }
            #expect(try await post(#""multilib_method": ["runtime", "devel"]"#)["multilib_method"] == .integer(3))
        }
    }

    // MARK: The list

    @Test("the list's meta has all of its members, and every filter and order of the contract")
    func list() async throws {
        try await Self.withComposes { frontend in
            let meta = try #require(try await frontend.get("/api/1/composes/").json["meta"])
            #expect(meta.keys == ["page", "pages", "per_page", "total", "first", "last", "prev", "next"])
            for filter in [
                "owner=unknown", "source_type=3", "source=/srv/repo", "state=0", "koji_task_id=1", "pungi_compose_id=x",
                "compose_type=test",
                "label=RC-1.0",
            ] {
                let list = try await frontend.get("/api/1/composes/?\(filter)")
                #expect(list.status == 200, "\(filter)")
                let isAsked = ["koji_task_id", "pungi_compose_id", "label", "compose_type"].contains { filter.hasPrefix($0) }
                #expect((try list.json["meta"]?["total"] == .integer(0)) == isAsked, "\(filter)")
            }
            for order in [
                "id", "owner", "source_type", "koji_event", "state", "time_to_expire", "time_submitted", "time_done", "time_removed",
            ] {
                for sign in ["", "-"] { #expect(try await frontend.get("/api/1/composes/?order_by=\(sign)\(order)").status == 200) }
            }
        }
    }

    // MARK: Errors

    @Test(
        "what a browser is refused, it is told on a page; anything else, in JSON",
        arguments: ["/no/such/path", "/api/1/composes/x", "/api/1/composes/?state=9"])
    func errors(path: String) async throws {
        try await FrontendFixture.with { frontend in
            let page = try await frontend.get(path, headers: [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"])
            #expect(page.headers[.contentType] == "text/html; charset=utf-8")
            for accept in ["*/*", "application/json", "application/json, text/html"] {
                let answer = try await frontend.get(path, headers: [.accept: accept])
                #expect(answer.status == page.status)
                #expect(try answer.json.keys == ["status", "error", "message"])
                #expect(try answer.json["status"] == .integer(answer.status))
            }
        }
    }
}
