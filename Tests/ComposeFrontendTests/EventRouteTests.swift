import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// Who may see which events, and how many may wait for them.
@Suite struct EventRouteTests {
    @Test("events leave out composes of private target directories, and only admins can ask for those of tokens")
    func hidden() async throws {
        try await FrontendFixture.with(configure: {
            $0.admission.capabilities = .all
            $0.access = .named
            $0.access.privateTargets = ["secret": Members(users: ["reader-of-secrets"])]
            $0.targets["secret"] = $0.targets["default"].map { .init(path: $0.path, url: "/composes-secret") }
        }) { frontend in
            let store = frontend.database.store
            var secret = ComposeRequest.repo()
            secret.targetDir = "secret"
            let open = try await store.submit(.repo(), owner: "me").id
            let hidden = try await store.submit(secret, owner: "me").id
            try await store.sequenceEvents()
            func composes(_ frontend: FrontendFixture) async throws -> [Int?] {
                let page = try await frontend.get("/api/1/events?after=0").json
                #expect(page["next"] == .integer(2))
                return (0..<(page["events"]?.count ?? 0)).map { page["events"]?[$0]?["message"]?["compose"]?["id"]?.integer }
            }
            #expect(try await composes(frontend) == [open])
            #expect(try await composes(frontend.by("other")) == [open])
            #expect(try await composes(frontend.by("reader-of-secrets")) == [open, hidden])
            #expect(try await frontend.get("/api/1/composes/\(hidden)/events").status == 401)
            #expect(try await frontend.by("other").get("/api/1/composes/\(hidden)/events").status == 403)
            #expect(try await frontend.by("other").get("/api/1/composes/\(hidden)?wait=5").status == 403)

            #expect(try await frontend.get("/api/1/events?kind=tokens").status == 401)
            #expect(try await frontend.by("other").get("/api/1/events?kind=tokens").status == 403)
            #expect(try await frontend.by("admin").get("/api/1/events?kind=tokens").status == 200)
        }
    }

    @Test(
        "a wrong parameter is refused with what would be right",
        arguments: [
            ("after=x", "after must be an integer from 0 on, not \"x\"."), ("limit=0", "limit must be an integer from 1 on, not \"0\"."),
            ("wait=-1", "wait must be an integer from 0 on, not \"-1\"."),
            ("state=asleep", "state cannot be \"asleep\". Use one of these: building, done, failed, generating, removed, wait."),
            ("kind=images", "kind cannot be \"images\". Use one of these: composes, builds, tokens."),
        ])
    func wrong(query: String, message: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1/events?\(query)")
            #expect(answer.status == 400)
            #expect(try answer.message == message)
        }
    }

    @Test("the streams of one caller and of all are limited, and a place is free when its stream has ended")
    func limits() async throws {
        try await TestDatabase.with { database in
            let feed = EventFeed(store: database.store, mostOpen: 3, mostOpenPerCaller: 2, logger: .silent) { AsyncStream { $0.finish() } }
            var places = [feed.place(for: "a"), feed.place(for: "a")]
            #expect(places.allSatisfy { $0 != nil })
            #expect(feed.place(for: "a") == nil)
            places.append(feed.place(for: "b"))
            #expect(feed.place(for: "c") == nil)
            #expect(feed.openPlaces == 3)
            places.removeFirst()
            #expect(feed.place(for: "a") != nil)
            places = []
            #expect(feed.openPlaces == 0)
        }
    }

    @Test("admins see subscribers and their dead letters, pause them and have events sent again")
    func subscribers() async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            try await store.registerSubscribers(["ci"])
            _ = try await store.submit(.repo(), owner: "me")
            try await store.sequenceEvents()
            let turn = try #require(try await store.takeDeliveryTurn(to: "ci", for: .seconds(60)))
            var report = DeliveryReport()
            report.dead = [1: ("It answered 400.", 1)]
            try await store.end(turn, with: report)
            let id = try #require(try await store.subscribers().first).id
            let shown = try await frontend.get("/api/1/subscribers/\(id)").json
            #expect(shown["dead_letters"] == .integer(1) && shown["position"] == .integer(1) && shown["is_served"] == .bool(true))
            #expect(shown["letters"]?[0]?["object"] == .string("compose 1"))
            #expect(try await frontend.request(.post, "/api/1/subscribers/\(id)/pause").status == 202)
            #expect(try await frontend.get("/api/1/subscribers/").json["items"]?[0]?["time_paused"]?.string != nil)
            #expect(try await frontend.request(.post, "/api/1/subscribers/\(id)/resume").status == 202)
            let tooFar = try await frontend.request(.post, "/api/1/subscribers/\(id)/replay", #"{"after": 2}"#)
            #expect(tooFar.status == 400)
            #expect(try tooFar.message == "after must be between 0 and 1, the position of the subscriber, not 2.")
            #expect(try await frontend.request(.post, "/api/1/subscribers/\(id)/replay", #"{"after": 0}"#).status == 202)
            #expect(try await store.subscribers().first?.position == 0)
            #expect(try await frontend.get("/api/1/subscribers/99").status == 404)
        }
    }
}
