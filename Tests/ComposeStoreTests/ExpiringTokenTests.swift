import ComposeTestKit
import Foundation
import Identity
import Postgres
import Testing

@testable import ComposeStore

/// Tokens whose owners hear that they expire soon.
@Suite struct ExpiringTokenTests {
    private static let root = AuditSender(account: "root", provider: "odcs-server")
    private static let warning = Duration.seconds(14 * 86_400)

    /// Makes a token that lives for `days`, as it is when `passed` days have passed.
    private static func token(_ database: TestDatabase, days: Int?, passed: Int = 0, note: String = "CI") async throws -> APIToken {
        let new = NewToken(
            owner: try AccountName("osbs"), note: note, scopes: [.newCompose], life: days.map { .seconds($0 * 86_400) })
        let id = try await database.store.createToken(new, by: root).token.id
        _ = try await database.pool.query(
            """
            UPDATE tokens SET created_at = created_at - \(passed) * interval '1 day', expires_at = expires_at - \(passed) * interval '1 day'
            WHERE id = \(id)
            """)
        return try #require(try await database.store.token(id))
    }

    /// The tokens of the events after a position.
    private static func published(_ store: ComposeStore, after position: Int = 0) async throws -> [APIToken] {
        try await store.sequenceEvents()
        return try await store.events(after: position, limit: 10).compactMap { event in
            if case .token(let token) = event.subject { token } else { nil }
        }
    }

    @Test("a token that expires soon is announced once, also by several processes at the same time, and the event has no hash")
    func once() async throws {
        try await TestDatabase.with(size: 6) { database in
            let token = try await Self.token(database, days: 90, passed: 80)
            let announced: [APIToken] = try await withThrowingTaskGroup(of: [APIToken].self) { group in
                for _ in 0..<5 { group.addTask { try await database.store.announceTokens(expiringWithin: Self.warning) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(announced == [token])
            #expect(try await Self.published(database.store) == [token])
            let entry = try #require(try await database.store.audit(AuditQuery(action: "token.expiring")).first?.entry)
            #expect(entry.object == "token \(token.id)")
            #expect(entry.detail == ["owner": "osbs", "note": "CI", "scopes": "new-compose"])
            let rows = try await database.pool.query(
                "SELECT count(*) AS leaks FROM events e, tokens t WHERE position(t.secret IN e.token::text) > 0 OR e.token ? 'secret'")
            #expect(try rows[0].decode(Int.self, "leaks") == 0)
        }
    }

    @Test("tokens with more time, without an end, revoked or expired ones are not announced")
    func others() async throws {
        try await TestDatabase.with { database in
            _ = try await Self.token(database, days: 90, passed: 75)
            _ = try await Self.token(database, days: nil)
            _ = try await Self.token(database, days: 90, passed: 91)
            let revoked = try await Self.token(database, days: 90, passed: 80)
            _ = try await database.store.revokeToken(revoked.id, by: Self.root)
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning) == [])
            #expect(try await database.store.announceTokens(expiringWithin: .zero) == [])
        }
    }

    @Test("a short token is announced when half of its life is over")
    func short() async throws {
        try await TestDatabase.with { database in
            _ = try await Self.token(database, days: 10, passed: 4)
            let half = try await Self.token(database, days: 10, passed: 5)
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning).map(\.id) == [half.id])
        }
    }

    @Test("the new end of a rotated token is announced as well")
    func rotated() async throws {
        try await TestDatabase.with { database in
            let token = try await Self.token(database, days: 90, passed: 80)
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning).count == 1)
            _ = try await database.store.rotateToken(token.id, overlap: .zero, by: Self.root)
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning).count == 0)
            _ = try await database.pool.query(
                "UPDATE tokens SET rotated_at = rotated_at - interval '80 days', expires_at = expires_at - interval '80 days'")
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning).map(\.id) == [token.id])
        }
    }

    @Test("an announcement that cannot be stored is made later")
    func notLost() async throws {
        try await TestDatabase.with { database in
            let token = try await Self.token(database, days: 90, passed: 80)
            _ = try await database.pool.query("ALTER TABLE audit RENAME TO elsewhere")
            await #expect(throws: (any Error).self) { try await database.store.announceTokens(expiringWithin: Self.warning) }
            _ = try await database.pool.query("ALTER TABLE elsewhere RENAME TO audit")
            #expect(try await Self.published(database.store).isEmpty)
            #expect(try await database.store.announceTokens(expiringWithin: Self.warning).map(\.id) == [token.id])
            #expect(try await Self.published(database.store).map(\.id) == [token.id])
        }
    }
}
