import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Composes that wait until packages are signed.
@Suite struct AwaitingSignaturesTests {
    private let retries = RetryPolicy(attempts: 3, firstDelay: .zero, signatureDelay: .zero)
    private let unsigned = ComposeFailure(.packageUnsigned, "ed-1-1.x86_64 is not signed at all.")

    private func request(waiting seconds: Int?) -> ComposeRequest {
        var request = ComposeRequest.repo()
        request.unsignedWaitSeconds = seconds
        return request
    }

    /// Claims the oldest compose that may run and pins it.
    private func begin(_ database: TestDatabase) async throws -> (ComposeLease, Settlement) {
        let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
        let settlement = try await database.store.settle(
            lease, as: .pinned(lease.compose.request), source: "/srv/repo", reason: { "It shows compose \($0)." })
        return (lease, settlement)
    }

    private func submitAndBegin(waiting seconds: Int?, in database: TestDatabase) async throws -> ComposeLease {
        _ = try await database.store.submit(request(waiting: seconds), owner: "me")
        return try await begin(database).0
    }

    /// Puts the first time that signatures lacked as long ago.
    private func age(_ id: Int, by seconds: Int, in database: TestDatabase) async throws {
        _ = try await database.pool.query(
            "UPDATE composes SET unsigned_since = unsigned_since - make_interval(secs => \(Double(seconds))) WHERE id = \(id)")
    }

    private func outcomes(_ id: Int, in database: TestDatabase) async throws -> [String?] {
        try await database.pool.query("SELECT outcome FROM attempts WHERE compose_id = \(id) ORDER BY number")
            .map { try $0.decode(String?.self, "outcome") }
    }

    private func isAwaiting(_ outcome: FailureOutcome) -> Bool { if case .awaitsSignatures = outcome { true } else { false } }

    @Test("a request that would not wait fails at once")
    func doesNotWait() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: nil, in: database)
            #expect(try await database.store.fail(lease, with: unsigned, retries: retries) == .failed)
            let compose = try #require(try await database.store.compose(lease.compose.id))
            #expect(compose.state == .failed)
            #expect(compose.stateReason == unsigned.message)
        }
    }

    @Test("one that would waits with its pins, says until when and for what, and no failure is counted")
    func waits() async throws {
        try await TestDatabase.with { database in
            var lease = try await submitAndBegin(waiting: 600, in: database)
            let id = lease.compose.id
            guard case .awaitsSignatures(let deadline) = try await database.store.fail(lease, with: unsigned, retries: retries) else {
                Issue.record("it does not wait")
                return
            }
            // More often than transient failures may be.
            for _ in 0..<4 {
                lease = try await begin(database).0
                #expect(lease.compose.isPinned)
                #expect(try await database.store.fail(lease, with: unsigned, retries: retries) == .awaitsSignatures(until: deadline))
            }
            let compose = try #require(try await database.store.compose(id))
            #expect(compose.state == .wait)
            #expect(compose.stateReason == "Waits for signatures until \(ComposeDocument.format(deadline)): \(unsigned.message)")
            #expect(try await outcomes(id, in: database) == Array(repeating: "unsigned", count: 5))
            let failures = try await database.pool.query("SELECT failures FROM composes WHERE id = \(id)")
            #expect(try failures.first?.decode(Int.self, "failures") == 0)
        }
    }

    @Test("when its time is over it fails with the same reason, and says how long it has waited")
    func timeIsOver() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            _ = try await database.store.fail(lease, with: unsigned, retries: retries)
            try await age(lease.compose.id, by: 700, in: database)
            let again = try await begin(database).0
            #expect(try await database.store.fail(again, with: unsigned, retries: retries) == .failed)
            let compose = try #require(try await database.store.compose(lease.compose.id))
            #expect(compose.state == .failed)
            #expect(compose.failure?.code == .packageUnsigned)
            #expect(
                compose.stateReason?.contains(/^ed-1-1.x86_64 is not signed at all. The compose has waited 70\d seconds for signatures.$/)
                    == true)
            #expect(try await outcomes(lease.compose.id, in: database) == ["unsigned", "failed"])
        }
    }

    @Test("the last look is at the end of its time, however long it rests in between")
    func lastLook() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            _ = try await database.store.fail(lease, with: unsigned, retries: RetryPolicy(signatureDelay: .seconds(86_400)))
            let rows = try await database.pool.query(
                "SELECT extract(epoch FROM available_at - unsigned_since)::bigint AS seconds FROM composes WHERE id = \(lease.compose.id)")
            #expect(try rows.first?.decode(Int.self, "seconds") == 600)
            #expect(try await database.store.claim(by: "w", for: .seconds(60)) == nil)
        }
    }

    @Test("what waits for signatures does not count as work that nobody does")
    func statistics() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            _ = try await database.store.fail(lease, with: unsigned, retries: RetryPolicy(signatureDelay: .seconds(60)))
            #expect(try await database.store.statistics().depth == 0)
        }
    }

    @Test("those that joined it wait or fail as each of them would have it")
    func joined() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            let patient = try await submitAndBegin(waiting: 6000, in: database)
            let impatient = try await submitAndBegin(waiting: nil, in: database)
            #expect(try await database.store.compose(impatient.compose.id)?.resultOf == lease.compose.id)
            #expect(isAwaiting(try await database.store.fail(lease, with: unsigned, retries: retries)))
            #expect(try await database.store.compose(patient.compose.id)?.state == .wait)
            #expect(try await database.store.compose(patient.compose.id)?.stateReason?.hasPrefix("Waits for signatures until ") == true)
            #expect(try await database.store.compose(impatient.compose.id)?.state == .failed)
        }
    }

    @Test("one that joined a compose which would not wait does not fail with it")
    func joinedImpatient() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: nil, in: database)
            let patient = try await submitAndBegin(waiting: 6000, in: database)
            #expect(try await database.store.fail(lease, with: unsigned, retries: retries) == .failed)
            #expect(try await database.store.compose(patient.compose.id)?.state == .wait)
            #expect(isAwaiting(try await database.store.fail(try await begin(database).0, with: unsigned, retries: retries)))
        }
    }

    @Test("it can be canceled while it waits")
    func canceled() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            _ = try await database.store.fail(lease, with: unsigned, retries: retries)
            _ = try await database.store.delete(lease.compose.id, by: Actor(name: "me", isAdmin: false))
            let compose = try #require(try await database.store.compose(lease.compose.id))
            #expect(compose.state == .failed)
            #expect(compose.stateReason == "Canceled by me")
            #expect(try await database.store.claim(by: "w", for: .seconds(60)) == nil)
        }
    }

    @Test("once the packages are signed it is built, and others show its result")
    func signed() async throws {
        try await TestDatabase.with { database in
            let lease = try await submitAndBegin(waiting: 600, in: database)
            _ = try await database.store.fail(lease, with: unsigned, retries: retries)
            let again = try await begin(database).0
            #expect(
                try await database.store.finish(again, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in })
            _ = try await database.store.submit(request(waiting: nil), owner: "me")
            #expect(try await begin(database).1 == .reused(lease.compose.id))
        }
    }
}
