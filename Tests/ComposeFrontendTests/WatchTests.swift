import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Postgres
import Testing

@testable import ComposeFrontend

/// Watches of Koji's tags, at `/api/1/watches`.
@Suite struct WatchTests {
    private static let body = #"{"source": {"type": "tag", "source": "f26", "packages": ["httpd"]}}"#

    /// A frontend of a server that has a Koji.
    private static func withFrontend(
        _ setup: TestingSetup = .router, configure: (inout FrontendConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        try await FrontendFixture.with(
            setup,
            configure: {
                $0.admission.capabilities = .all
                configure(&$0)
            }, body)
    }

    @Test("a watch is answered with everything that was asked for, and with nothing looked at yet")
    func begin() async throws {
        try await Self.withFrontend { frontend in
            let answer = try await frontend.post(Self.body, to: "/api/1/watches/")
            #expect(answer.status == 200)
            var watch = try answer.json
            guard case .object(var members) = watch else { return }
            let created = try #require(members.removeValue(forKey: "time_created")?.string)
            #expect(created.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            watch = .object(members)
            #expect(
                watch
                    == .object([
                        "id": .integer(1), "owner": .string("unknown"), "source_type": .integer(1), "source": .string("f26"),
                        "packages": .string("httpd"), "builds": .null, "scratch_build_tasks": .null, "sigkeys": .string(""),
                        "arches": .string("x86_64 aarch64"), "multilib_arches": .string(""), "multilib_method": .integer(0),
                        "lookaside_repos": .string(""), "flags": .array([]), "results": .array([.string("repository")]), "label": .null,
                        "compose_type": .string("test"), "target_dir": .string("default"), "seconds_to_live": .integer(3600),
                        "delivery": .string("link"), "on_unsigned": .string("fail"), "unsigned_wait_seconds": .null,
                        "modules": .null, "module_hotfixes": .bool(false), "respin_of": .null, "parent_pungi_compose_ids": .null,
                        "time_ended": .null, "koji_event": .null, "latest_compose": .null, "time_looked": .null, "problem": .null,
                    ]))
            let stored = try #require(try await frontend.database.store.watch(1))
            #expect(
                stored.request
                    == ComposeRequest(
                        sourceType: .tag, source: ["f26"], packages: ["httpd"], arches: ["x86_64", "aarch64"], composeType: "test",
                        secondsToLive: 3600))
            #expect(try await frontend.get("/api/1/watches/1").text == answer.text)
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test("what is asked for comes back in the forms that a compose has")
    func everything() async throws {
        try await Self.withFrontend { frontend in
            let answer = try await frontend.post(
                """
                {"source": {"type": "tag", "source": " f26 ", "packages": ["zsh", "ed"], "builds": ["zsh-1-1"], "sigkeys": ["fd431d51", ""],
                    "scratch_build_tasks": ["7"], "modules": ["nodejs:22"]},
                 "module_hotfixes": true, "respin_of": "F-1-20261121.t.0", "parent_pungi_compose_ids": ["P-1-20261120.t.0", "Q-1-20261120.t.0"],
                 "arches": ["s390x", "x86_64"], "multilib_arches": ["x86_64"], "multilib_method": ["devel"], "flags": ["no_deps"],
                 "lookaside_repos": ["/srv/a", "/srv/b"], "results": ["iso"], "label": "RC-1.0", "compose_type": "nightly",
                 "target_dir": "private", "seconds_to_live": 99999}
                """, to: "/api/1/watches")
            #expect(answer.status == 200)
            let watch = try answer.json
            for (name, words) in [
                ("source", "f26"), ("packages", "zsh ed"), ("builds", "zsh-1-1"), ("sigkeys", "fd431d51 "), ("scratch_build_tasks", "7"),
                ("arches", "s390x x86_64"), ("multilib_arches", "x86_64"), ("lookaside_repos", "/srv/a /srv/b"), ("label", "RC-1.0"),
                ("compose_type", "nightly"), ("target_dir", "private"),
                ("modules", "nodejs:22"), ("respin_of", "F-1-20261121.t.0"),
                ("parent_pungi_compose_ids", "P-1-20261120.t.0 Q-1-20261120.t.0"),
            ] {
                #expect(watch[name] == .string(words), "\(name)")
            }
            #expect(watch["multilib_method"] == .integer(2))
            #expect(watch["module_hotfixes"] == .bool(true))
            #expect(watch["flags"] == .array([.string("no_deps")]))
            #expect(watch["results"] == .array([.string("repository"), .string("iso")]))
            #expect(watch["seconds_to_live"] == .integer(7200))
        }
    }

    @Test("what a look has found is shown: the compose that was asked for last, or what is wrong")
    func looked() async throws {
        try await Self.withFrontend { frontend in
            _ = try await frontend.post(Self.body, to: "/api/1/watches/")
            for _ in 1...3 { _ = try await frontend.database.store.submit(.repo(), owner: "me") }
            _ = try await frontend.database.pool.query("UPDATE composes SET watch_id = 1 WHERE id IN (1, 2)")
            _ = try await frontend.database.pool.query(
                "UPDATE watches SET koji_event = 100, looked_at = '2026-11-21 10:04:05.9+00', problem = 'Koji does not answer.'")
            let watch = try await frontend.get("/api/1/watches/1").json
            #expect(
                watch["latest_compose"]
                    == .object(["id": .integer(2), "url": .string("https://odcs.example.com/api/1/composes/2")]))
            #expect(watch["koji_event"] == .integer(100))
            #expect(watch["time_looked"] == .string("2026-11-21T10:04:05Z"))
            #expect(watch["problem"] == .string("Koji does not answer."))
            #expect(try await frontend.get("/api/1/composes/2").json["watch"] == .integer(1))
            #expect(try await frontend.get("/api/1/composes/3").json["watch"] == .null)
        }
    }

    @Test("an equal wish of the same owner is the same watch while it stands, also when many ask at once, with whatever key")
    func same() async throws {
        try await Self.withFrontend(.live, configure: { $0.access = .named }) { frontend in
            @Sendable func post(_ body: String = Self.body, by owner: String = "me", key: String? = nil) async throws -> Int? {
                var headers: HTTPFields = .by(owner)
                headers[IdempotencyKey.fieldName] = key
                return try await frontend.request(.post, "/api/1/watches/", body, headers: headers).json["id"]?.integer
            }
            let ids = try await withThrowingTaskGroup(of: Int?.self) { group in
                for key in 1...12 { group.addTask { try await post(key: "\(key)") } }
                return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(ids == [1])
            #expect(try await post(#" {"flags":[],"source":{"source":"f26" ,"packages":["httpd"],"type":"tag"}}"#) == 1)
            #expect(try await post(#"{"source": {"type": "tag", "source": "f26", "packages": ["ed"]}}"#) == 2)
            #expect(try await post(by: "you") == 3)
            #expect(try await frontend.request(.delete, "/api/1/watches/1", headers: .by("me")).status == 200)
            #expect(try await post() == 4)
            // What is too short to last is made longer, and is the same wish all the same.
            for seconds in [1, 1, 60] {
                #expect(try await post(#"{"source": {"type": "tag", "source": "f27"}, "seconds_to_live": \#(seconds)}"#) == 5)
            }
            #expect(try await frontend.get("/api/1/watches/5").json["seconds_to_live"] == .integer(60))
        }
    }

    @Test(
        "what cannot be watched is refused, with what would be right",
        arguments: [
            (
                #"{"source": {"type": "repo", "source": "/srv/repo"}}"#,
                #"source.type is "repo"; it must be "tag": only the packages of a Koji tag can be watched."#
            ),
            (
                #"{"source": {"type": "build", "builds": ["ed-1-1"]}}"#,
                #"source.type is "build"; it must be "tag": only the packages of a Koji tag can be watched."#
            ),
            (
                #"{"source": {"source": "f26"}}"#,
                #"source.type is missing; it must be "tag": only the packages of a Koji tag can be watched."#
            ),
            (
                #"{"source": {"type": "tag", "source": "f26", "koji_event": 5}}"#,
                "source.koji_event cannot be used with a watch, which is for what the tag becomes; a compose can be of what it was at an event."
            ),
            (#"{"source": {"type": "tag", "source": "f26 f27"}}"#, "source.source has 2 words; a watch is of one Koji tag."),
            (#"{"source": {"type": "tag"}}"#, "source.source is missing; for the source type tag it must be a koji tag."),
            (
                #"{"source": {"type": "tag", "source": "f26", "packages": "ed"}}"#,
                #"source.packages must be a list of strings, not the string "ed"."#
            ),
            ("[]", "The body must be a JSON object, not a list."),
            (
                "",
                #"The body is empty; it must be a JSON object such as {"source": {"type": "tag", "source": "f26", "packages": ["httpd"]}}."#
            ),
        ])
    func refused(body: String, message: String) async throws {
        try await Self.withFrontend { frontend in
            let answer = try await frontend.post(body, to: "/api/1/watches/")
            #expect(answer.status == 400)
            #expect(
                try answer.json
                    == .object(["status": .integer(400), "error": .string("Bad Request"), "message": .string(message)]))
            #expect(try await frontend.database.store.watches(includingEnded: true).total == 0)
        }
    }

    @Test("without a Koji there is nothing to watch, and the setting is named")
    func withoutKoji() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(Self.body, to: "/api/1/watches/")
            #expect(answer.status == 400)
            #expect(
                try answer.message
                    == "This server makes no composes of the source type tag: the setting koji.hub is missing in its configuration.")
            #expect(try await frontend.get("/api/1/watches/").json["items"] == .array([]))
        }
    }

    @Test("the list has those that stand, the newest first, and those that have ended when they are asked for")
    func list() async throws {
        try await Self.withFrontend { frontend in
            let store = frontend.database.store
            for (index, owner) in ["me", "a&b", "me", "a&b", "me"].enumerated() {
                let request = ComposeRequest(sourceType: .tag, source: ["f\(index)"], arches: ["x86_64"], secondsToLive: 60)
                _ = try await store.standingWatch(owner: owner, request: request)
            }
            _ = try await frontend.request(.delete, "/api/1/watches/3")
            func ids(_ query: String) async throws -> [Int?] {
                guard case .array(let items)? = try await frontend.get("/api/1/watches/" + query).json["items"] else { return [] }
                return items.map { $0["id"]?.integer }
            }
            #expect(try await ids("") == [5, 4, 2, 1])
            #expect(try await ids("?include_ended=true") == [5, 4, 3, 2, 1])
            #expect(try await ids("?include_ended=0&unknown=x&page=") == [5, 4, 2, 1])
            #expect(try await ids("?owner=me&include_ended=1") == [5, 3, 1])
            #expect(try await ids("?owner=nobody") == [])
            #expect(try await ids("?page=9223372036854775807") == [])
            let page = try await frontend.get("/api/1/watches?owner=a%26b&per_page=1")
            #expect(page.headers[.accessControlAllowOrigin] == "*")
            #expect(
                try page.json["meta"]
                    == .object([
                        "page": .integer(1), "pages": .integer(2), "per_page": .integer(1), "total": .integer(2), "prev": .null,
                        "first": .string("https://odcs.example.com/api/1/watches/?owner=a%26b&page=1&per_page=1"),
                        "last": .string("https://odcs.example.com/api/1/watches/?owner=a%26b&page=2&per_page=1"),
                        "next": .string("https://odcs.example.com/api/1/watches/?owner=a%26b&page=2&per_page=1"),
                    ]))
            #expect(try await frontend.get("/api/1/watches/?per_page=1000").json["meta"]?["per_page"] == .integer(50))
        }
    }

    @Test(
        "a list that cannot be meant is refused",
        arguments: [
            ("include_ended=maybe", #"include_ended must be true or false, not "maybe"."#),
            ("page=0", #"page must be an integer from 1 on, not "0"."#),
            ("per_page=x", #"per_page must be an integer from 1 on, not "x"."#),
            ("owner=a&owner=b", "owner is there more than once; a list of watches is of one owner, or of all."),
        ])
    func badList(query: String, message: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1/watches/?" + query)
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }

    @Test("DELETE ends a watch, once; its composes stay")
    func end() async throws {
        try await Self.withFrontend { frontend in
            _ = try await frontend.post(Self.body, to: "/api/1/watches/")
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            _ = try await frontend.database.pool.query("UPDATE composes SET watch_id = 1")
            let ended = try await frontend.request(.delete, "/api/1/watches/1/")
            #expect(ended.status == 200)
            #expect(try ended.json["time_ended"]?.string?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
            #expect(try await frontend.request(.delete, "/api/1/watches/1").text == ended.text)
            #expect(try await frontend.get("/api/1/watches/1").text == ended.text)
            #expect(try await frontend.get("/api/1/composes/1").json["state_name"] == .string("wait"))
            let unknown = try await frontend.request(.delete, "/api/1/watches/2")
            #expect(unknown.status == 404)
            #expect(try unknown.message == "There is no watch 2.")
        }
    }

    @Test("who may not, is told so: 401 without credentials, 403 without the role, the scope or the ownership")
    func rights() async throws {
        try await Self.withFrontend(configure: { $0.access = .named }) { frontend in
            func ask(_ method: HTTPRequest.Method, _ path: String, by name: String?) async throws -> Answer {
                try await frontend.request(
                    method, path, method == .post ? Self.body : nil, headers: name.map(HTTPFields.by) ?? [:])
            }
            let nobody = try await ask(.post, "/api/1/watches/", by: nil)
            #expect(nobody.status == 401)
            #expect(nobody.headers[.wwwAuthenticate] == "Bearer realm=\"odcs\"")
            #expect(
                try await ask(.post, "/api/1/watches/", by: "guest").message
                    == "No rule of access.clients names guest or one of its groups. The operator of this service can add one.")
            #expect(
                try await ask(.post, "/api/1/watches/", by: "renewer").message
                    == "The credentials of renewer lack the scope new-compose.")
            for owner in ["me", "you"] { #expect(try await ask(.post, "/api/1/watches/", by: owner).status == 200) }

            #expect(try await ask(.delete, "/api/1/watches/1", by: nil).status == 401)
            let others = try await ask(.delete, "/api/1/watches/1", by: "you")
            #expect(others.status == 403)
            #expect(try others.message == "Not allowed: only me, whose watch 1 is, or an admin can end it.")
            #expect(
                try await ask(.delete, "/api/1/watches/1", by: "renewer").message
                    == "The credentials of renewer lack the scope delete-compose.")
            #expect(try await frontend.get("/api/1/watches/1").json["time_ended"] == .null)
            #expect(try await ask(.delete, "/api/1/watches/1", by: "me").status == 200)
            #expect(try await ask(.delete, "/api/1/watches/2", by: "admin").status == 200)
        }
    }

    @Test("every route answers with and without a slash at its end, and GET to HEAD as well", arguments: ["", "/"])
    func routes(slash: String) async throws {
        try await Self.withFrontend { frontend in
            for (method, path) in [
                (HTTPRequest.Method.post, "/api/1/watches"), (.get, "/api/1/watches"), (.get, "/api/1/watches/1"),
                (.delete, "/api/1/watches/1"),
            ] {
                let answer = try await frontend.request(method, path + slash, method == .post ? Self.body : nil)
                #expect(answer.status == 200, "\(method) \(path): \(answer.text)")
                #expect(answer.headers[.contentType] == "application/json")
                #expect((answer.headers[.accessControlAllowOrigin] == "*") == (method == .get))
                guard method == .get else { continue }
                let head = try await frontend.request(.head, path + slash)
                #expect(head.status == 200)
                #expect(head.text == "")
            }
        }
    }

    @Test("a watch has the members that its schema has")
    func schema() async throws {
        try await Self.withFrontend { frontend in
            let schemas = try await frontend.get("/api/1").json["components"]?["schemas"]
            let watch = try await frontend.post(Self.body, to: "/api/1/watches/").json
            #expect(schemas?["Watch"]?["properties"]?.keys == watch.keys)
            #expect(schemas?["Watch"]?["required"]?.count == watch.keys.count)
            #expect(schemas?["WatchRequest"] != nil)
        }
    }
}
