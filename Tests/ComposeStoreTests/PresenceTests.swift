import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// A worker whose session has ended loses its work soon, and one that is alive loses nothing.
@Suite struct PresenceTests {
    private let presence = WorkerPresence()

    /// Whether the lease of the compose is still nearly an hour long.
    private func isLong(_ id: Int, in table: SQL = "composes", of database: TestDatabase) async throws -> Bool {
        try await database.pool.query(
            "SELECT lease_expires_at > now() + interval '30 min' AS long FROM \(fragment: table) WHERE id = \(id)"
        )[0].decode(Bool.self, "long")
    }

    private func lease(in database: TestDatabase, present presence: WorkerPresence?) async throws -> ComposeLease {
        _ = try await database.store.submit(.repo(), owner: "me")
        return try #require(try await database.store.claim(by: "w", present: presence, for: .seconds(3600)))
    }

    @Test("the leases of a worker get short when its session ends, and not before")
    func ended() async throws {
        try await TestDatabase.with { database in
            let lease = try await lease(in: database, present: presence)
            let other = try await self.lease(in: database, present: nil)
            try await database.pool.withTransaction { session in
                _ = try await session.query("SELECT pg_advisory_xact_lock_shared(\(presence.key))")
                try await database.store.shortenLeasesOfAbsentWorkers()
                #expect(try await isLong(lease.id, of: database))
            }
            try await database.store.shortenLeasesOfAbsentWorkers()
            #expect(try await !isLong(lease.id, of: database))
            #expect(try await isLong(other.id, of: database), "it has no presence that could be lost")
            #expect(try await database.store.reap(retries: RetryPolicy()) == [], "the worker has time to come back")
        }
    }

    @Test("a lease that is short already does not get longer")
    func staysShort() async throws {
        try await TestDatabase.with { database in
            let lease = try await lease(in: database, present: presence)
            _ = try await database.pool.query("UPDATE composes SET lease_expires_at = now() - interval '1 s' WHERE id = \(lease.id)")
            try await database.store.shortenLeasesOfAbsentWorkers()
            #expect(try await database.store.reap(retries: RetryPolicy()) == [ReapedCompose(id: lease.id, isRequeued: true)])
        }
    }

    @Test("a worker that only lost its connection makes its lease long again")
    func renewed() async throws {
        try await TestDatabase.with { database in
            let lease = try await lease(in: database, present: presence)
            try await database.store.shortenLeasesOfAbsentWorkers()
            #expect(try await !isLong(lease.id, of: database))
            #expect(try await database.store.heartbeat(lease, for: .seconds(3600)))
            #expect(try await isLong(lease.id, of: database))
        }
    }

    @Test("a row that a transaction holds keeps no reaper waiting, and is seen to by the next one")
    func held() async throws {
        try await TestDatabase.with { database in
            let (one, two) = (try await lease(in: database, present: presence), try await lease(in: database, present: presence))
            try await database.pool.withTransaction { connection in
                _ = try await connection.query("SELECT id FROM composes WHERE id = \(one.id) FOR UPDATE")
                try await database.store.shortenLeasesOfAbsentWorkers()
                #expect(try await isLong(one.id, of: database))
                #expect(try await !isLong(two.id, of: database))
            }
            try await database.store.shortenLeasesOfAbsentWorkers()
            #expect(try await !isLong(one.id, of: database))
        }
    }

    @Test("the steps of image builds of a lost worker get short leases, too")
    func steps() async throws {
        try await TestDatabase.with { database in
            _ = try await database.build(of: database.image("app"))
            let lease = try #require(
                try await database.store.claimStep(by: "w", present: presence, offering: TestDatabase.everything, for: .seconds(3600)))
            try await database.pool.withTransaction { session in
                _ = try await session.query("SELECT pg_advisory_xact_lock_shared(\(presence.key))")
                try await database.store.shortenLeasesOfAbsentWorkers()
                #expect(try await isLong(lease.id, in: "build_steps", of: database))
            }
            try await database.store.shortenLeasesOfAbsentWorkers()
            #expect(try await !isLong(lease.id, in: "build_steps", of: database))
        }
    }

    @Test("the delivery turn of a lost worker gets short, too, and others are woken when it is over")
    func deliveryTurn() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            try await store.registerSubscribers(["ci"])
            _ = try await store.submit(.repo(), owner: "me")
            try await store.sequenceEvents()
            let lost = try #require(try await store.takeDeliveryTurn(to: "ci", present: presence, for: .seconds(3600)))
            func isLong() async throws -> Bool {
                try await database.pool.query("SELECT lease_expires_at > now() + interval '30 min' AS long FROM subscribers")[0]
                    .decode(Bool.self, "long")
            }
            try await database.pool.withTransaction { session in
                _ = try await session.query("SELECT pg_advisory_xact_lock_shared(\(presence.key))")
                try await store.shortenLeasesOfAbsentWorkers()
                #expect(try await isLong())
            }
            try await store.shortenLeasesOfAbsentWorkers()
            #expect(try await !isLong())
            #expect(try await store.endLostDeliveryTurns() == 0, "the worker has time to end its turn")
            _ = try await database.pool.query("UPDATE subscribers SET lease_expires_at = now() - interval '1 s'")
            let notified = try await database.notifications {
                let ended = try await store.endLostDeliveryTurns()
                #expect(ended == 1)
            }
            #expect(notified == ["events 0"])
            let next = try #require(try await store.takeDeliveryTurn(to: "ci", present: presence, for: .seconds(3600)))
            try await store.end(lost, with: DeliveryReport())
            #expect(next.events.map(\.position) == [1])
            #expect(try await store.takeDeliveryTurn(to: "ci", for: .seconds(60)) == nil)
        }
    }
}
