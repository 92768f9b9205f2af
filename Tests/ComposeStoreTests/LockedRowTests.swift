import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// A row that somebody holds for long keeps only those waiting who want that row.
@Suite struct LockedRowTests {
    @Test("many that delete or renew a compose whose row is locked take no connection from those who ask for another one")
    func others() async throws {
        try await TestDatabase.with(size: 3) { database in
            let store = database.store
            let locked = try await store.submit(.repo(), owner: "me").id
            let other = try await store.submit(.repo(), owner: "me").id
            let outcomes = try await database.pool.withTransaction { connection in
                _ = try await connection.query("SELECT id FROM composes WHERE id = \(locked) FOR UPDATE")
                let deletions = (0..<12).map { _ in
                    Task { try await store.delete(locked, by: Actor(name: "me", isAdmin: false)) }
                }
                for _ in 0..<20 { #expect(try await store.compose(other)?.state == .wait) }
                return deletions
            }
            var canceled = 0
            for outcome in outcomes {
                if case .canceled? = try await outcome.value { canceled += 1 }
            }
            #expect(canceled == 1, "once the row is free")
        }
    }

    @Test("who waits for a row in vain is told soon, by an error that passes")
    func inVain() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            try await database.pool.withTransaction { connection in
                _ = try await connection.query("SELECT id FROM composes WHERE id = \(id) FOR UPDATE")
                let error = await #expect(throws: PostgresError.self) {
                    try await database.store.delete(id, by: Actor(name: "me", isAdmin: false))
                }
                #expect(error?.isTransient == true)
            }
        }
    }
}
