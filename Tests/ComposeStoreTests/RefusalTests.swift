import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Composes that a worker cannot make and others can.
@Suite struct RefusalTests {
    private let length = Duration.seconds(60)

    @Test("a worker does not get a compose again that it refused, another one does, and no failure is counted")
    func others() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let id = try await store.submit(.repo(), owner: "me").id
            let lease = try #require(try await store.claim(by: "odd", for: length))
            #expect(try await store.refuse(lease, by: "odd", reason: "It has no such directory."))
            #expect(try await !store.refuse(lease, by: "odd", reason: "It has no such directory."))
            let waiting = try #require(try await store.compose(id))
            #expect(waiting.state == .wait)
            #expect(
                waiting.stateReason == "It waits for a worker that can make it. The worker odd cannot. It has no such directory.")
            #expect(try await store.claim(by: "odd", for: length) == nil)
            #expect(try await !store.hasWaiting(for: "odd"))
            #expect(try await store.hasWaiting(for: "good"))
            let later = try await store.submit(.repo(), owner: "me").id
            #expect(try await store.claim(by: "odd", for: length)?.compose.id == later)
            #expect(try await store.claim(by: "good", for: length)?.compose.id == id)
            let row = try await database.pool.query("SELECT failures FROM composes WHERE id = \(id)")[0]
            #expect(try row.decode(Int.self, "failures") == 0)
            let outcomes = try await database.pool.query("SELECT outcome FROM attempts WHERE compose_id = \(id) ORDER BY number")
            #expect(try outcomes.map { try $0.decode(String?.self, "outcome") } == ["refused", nil])
        }
    }

    @Test("a worker that starts again, perhaps with another configuration, may claim what it refused before")
    func startedAgain() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.submit(.repo(), owner: "me")
            let lease = try #require(try await store.claim(by: "odd", for: length))
            _ = try await store.refuse(lease, by: "odd", reason: "No.")
            try await store.workerStarts("another")
            #expect(try await store.claim(by: "odd", for: length) == nil)
            try await store.workerStarts("odd")
            #expect(try await store.claim(by: "odd", for: length) != nil)
        }
    }

    @Test("a compose that no living worker can make waits for a while, and then fails with what the last one found")
    func nobody() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let id = try await store.submit(.repo(), owner: "me").id
            let lease = try #require(try await store.claim(by: "odd", for: length))
            _ = try await store.refuse(lease, by: "odd", reason: "It may not read /srv/repo.")
            try await store.workerIsAlive("odd", slots: 1)
            #expect(try await store.failRefused() == [], "one that can may start")
            _ = try await database.pool.query("UPDATE composes SET refused_since = now() - interval '1 hour'")
            try await store.workerIsAlive("good", slots: 1)
            #expect(try await store.failRefused() == [], "one that can is busy")
            try await store.workerStopped("good")
            #expect(try await store.failRefused() == [id])
            let failed = try #require(try await store.compose(id))
            #expect(failed.state == .failed)
            #expect(failed.stateReason == failed.failure?.message)
            #expect(
                failed.stateReason
                    == "No worker of this service can make this compose. The operator of this service can help. The last worker reported: "
                    + "It waits for a worker that can make it. The worker odd cannot. It may not read /srv/repo.")
        }
    }

    @Test("the id of a target directory is the first one that a process says, until another one is set")
    func targets() async throws {
        try await TestDatabase.with { database in
            let (one, other) = (UUID(), UUID())
            #expect(try await database.store.identity(ofTarget: "default") == nil)
            #expect(try await database.store.identity(ofTarget: "default", orElse: one) == one)
            #expect(try await database.store.identity(ofTarget: "default", orElse: other) == one)
            try await database.store.setIdentity(ofTarget: "default", other)
            #expect(try await database.store.identity(ofTarget: "default") == other)
        }
    }

    @Test("what the last frontend takes is known to workers")
    func offer() async throws {
        try await TestDatabase.with { database in
            #expect(try await database.store.serviceOffer() == nil)
            var offer = ServiceOffer(sourceTypes: ["repo"], targets: ["default"], sources: ["/srv"])
            try await database.store.say(offer)
            offer.targets.insert("second")
            try await database.store.say(offer)
            #expect(try await database.store.serviceOffer() == offer)
        }
    }
}
