import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import ComposeFrontend

/// PATCH and DELETE.
@Suite struct LifeTests {
    private static func finished(_ frontend: FrontendFixture, _ request: ComposeRequest = .repo()) async throws -> Compose {
        let store = frontend.database.store
        let id = try await store.submit(request, owner: "me").id
        let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
        if try await store.settle(lease, as: .pinned(request), source: "/srv/repo", reason: { _ in "same" }) == .build {
            _ = try await store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in }
        }
        return try #require(try await store.compose(id))
    }

    @Test("renewing a compose that is done extends it; with another label it is made anew")
    func renew() async throws {
        try await FrontendFixture.with { frontend in
            let compose = try await Self.finished(frontend, .repo(secondsToLive: 60))
            let same = try await frontend.request(.patch, "/api/1/composes/\(compose.id)", #"{"seconds_to_live": 7000}"#)
            #expect(same.status == 200)
            #expect(try same.json["id"] == .integer(compose.id))
            let extended = try #require(try await frontend.database.store.compose(compose.id))
            #expect(extended.timeToExpire > compose.timeToExpire)

            let new = try await frontend.request(.patch, "/api/1/composes/\(compose.id)/", #"{"label": "RC-1.1"}"#)
            #expect(new.status == 200)
            #expect(try new.json["label"] == .string("RC-1.1"))
            #expect(try new.json["id"] != .integer(compose.id))
            #expect(try new.json["state_name"] == .string("wait"))
        }
    }

    @Test("renewing needs no body, and then takes the configured time to live")
    func renewWithoutBody() async throws {
        try await FrontendFixture.with { frontend in
            let compose = try await Self.finished(frontend, .repo(secondsToLive: 60))
            #expect(try await frontend.request(.patch, "/api/1/composes/\(compose.id)").status == 200)
            let extended = try #require(try await frontend.database.store.compose(compose.id))
            #expect(extended.timeToExpire.timeIntervalSince(compose.timeToExpire) > 3000)
        }
    }

    @Test("a compose that is under way, or that is not there, cannot be renewed")
    func nothingToRenew() async throws {
        try await FrontendFixture.with { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "me").id
            let waiting = try await frontend.request(.patch, "/api/1/composes/\(id)", "{}")
            #expect(waiting.status == 404)
            #expect(
                try waiting.message
                    == "There is nothing to renew yet: compose \(id) is in state wait; it must be done, failed or removed.")
            let none = try await frontend.request(.patch, "/api/1/composes/99", "{}")
            #expect(none.status == 404)
            #expect(try none.message == "There is no compose 99.")
            let wrong = try await frontend.request(.patch, "/api/1/composes/\(id)", #"{"sigkeys": "fd431d51"}"#)
            #expect(wrong.status == 400)
            #expect(try wrong.message == #"sigkeys must be a list of strings, not the string "fd431d51"."#)
        }
    }

    @Test("a compose that waits is canceled, one that is done expires, one that is removed stays as it is")
    func delete() async throws {
        try await FrontendFixture.with { frontend in
            let done = try await Self.finished(frontend)
            let waiting = try await frontend.database.store.submit(.repo(), owner: "me").id
            let canceled = try await frontend.request(.delete, "/api/1/composes/\(waiting)")
            #expect(canceled.status == 202)
            #expect(
                try canceled.json == .object(["status": .integer(202), "message": .string("Compose \(waiting) has been canceled.")]))
            #expect(try await frontend.get("/api/1/composes/\(waiting)").json["state_reason"] == .string("Canceled by unknown"))

            #expect(try await frontend.request(.delete, "/api/1/composes/\(done.id)/").status == 202)
            #expect(try await frontend.get("/api/1/composes/\(done.id)").json["removed_by"] == .string("unknown"))
            _ = try await frontend.database.store.expire(limit: 10)
            let removed = try await frontend.request(.delete, "/api/1/composes/\(done.id)")
            #expect(removed.status == 400)
            #expect(
                try removed.message
                    == "Compose \(done.id) is in state removed already; one that is wait, generating, done or failed can be deleted.")
            #expect(try await frontend.request(.delete, "/api/1/composes/99").status == 404)
        }
    }

    @Test("who may not, is told so: 401 without credentials, 403 without the role, the scope or the ownership")
    func rights() async throws {
        try await FrontendFixture.with(configure: { $0.access = .named }) { frontend in
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            func post(_ name: String?) async throws -> Answer {
                try await frontend.request(.post, "/api/1/composes/", body, headers: name.map(HTTPFields.by) ?? [:])
            }
            let nobody = try await post(nil)
            #expect(nobody.status == 401)
            #expect(nobody.headers[.wwwAuthenticate] == "Bearer realm=\"odcs\"")
            #expect(
                try await post("guest").message
                    == "No rule of access.clients names guest or one of its groups. The operator of this service can add one.")
            #expect(try await post("reader").message == "The credentials of reader lack the scope new-compose.")
            #expect(try await frontend.composesStored == 0)
            #expect(try await post("client").json["owner"] == .string("client"))

            let others = try await frontend.database.store.submit(.repo(), owner: "me").id
            let delete = try await frontend.request(.delete, "/api/1/composes/\(others)", headers: .by("client"))
            #expect(delete.status == 403)
            #expect(try delete.message == "Not allowed: only me, the owner of compose \(others), or an admin can cancel it.")
            #expect(try await frontend.request(.delete, "/api/1/composes/1", headers: .by("client")).status == 202)
        }
    }

    @Test("the first published form makes a failed compose again, and no other")
    func regenerate() async throws {
        try await FrontendFixture.with { frontend in
            let id = try await frontend.database.store.submit(.repo(["sed"]), owner: "me").id
            let waiting = try await frontend.post("{\"id\": \(id)}", to: "/odcs/1/composes")
            #expect(waiting.status == 400)
            #expect(try waiting.message == "Compose \(id) is in state wait; only one that is removed or failed can be made again.")
            _ = try await frontend.request(.delete, "/api/1/composes/\(id)")
            let again = try await frontend.post(#"{"id": \#(id), "seconds-to-live": 60}"#, to: "/odcs/1/composes")
            #expect(again.status == 200)
            #expect(try again.json["id"] != .integer(id))
            #expect(try again.json["packages"] == .string("sed"))
        }
    }
}
