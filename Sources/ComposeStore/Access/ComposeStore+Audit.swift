import ForeignText
import Postgres

/// The *audit log* writes audit entries. Entries that arrive while others are written are written
/// together.
public final class AuditLog: Sendable {
    private let store: ComposeStore
    private let entries = SharedWork<Int, AuditEntry, Void>(atOnce: 256)

    public init(store: ComposeStore) {
        self.store = store
    }

    /// Records an action. Returns when the entry is stored.
    public func record(_ entry: AuditEntry) async throws {
        try await entries.answer(0, entry) { entries in
            _ = try await store.pool.query(ComposeStore.recording(entries))
            return entries.map { _ in .success(()) }
        }
    }
}

extension ComposeStore {
    /// Returns the statement that records entries, for a transaction of the caller.
    static func recording(_ entries: [AuditEntry]) throws -> SQL {
        let short = { (text: String?) in text.map { $0.printable(most: 500) } }
        return """
            INSERT INTO audit (account, provider, token, rule, address, request, action, object, outcome, detail)
            SELECT account, provider, token, rule, address, request, action, object, outcome, detail::jsonb
            FROM unnest(
                \(entries.map { short($0.sender.account) }), \(entries.map(\.sender.provider)), \(entries.map(\.sender.token)),
                \(entries.map(\.sender.rule)), \(entries.map { short($0.sender.address) }), \(entries.map(\.sender.request)),
                \(entries.map(\.action)), \(entries.map { short($0.object) }), \(entries.map(\.outcome.rawValue)),
                \(try entries.map { try PostgresJSON($0.detail.mapValues { $0.printable(most: 500) }).postgresText() })
            ) AS n (account, provider, token, rule, address, request, action, object, outcome, detail)
            """
    }

    /// Returns the entries that meet the conditions, with the newest first.
    public func audit(_ query: AuditQuery) async throws -> [AuditRecord] {
        try await pool.query(
            """
            SELECT \(fragment: AuditRecord.columns) FROM audit a
            WHERE (\(query.account)::text IS NULL OR a.account = \(query.account))
                AND (\(query.action)::text IS NULL OR a.action = \(query.action))
                AND (\(query.token)::text IS NULL OR a.token = \(query.token))
                AND (\(query.outcome?.rawValue)::text IS NULL OR a.outcome = \(query.outcome?.rawValue))
                AND (\(query.since)::timestamptz IS NULL OR a.created_at >= \(query.since))
                AND (\(query.before)::bigint IS NULL OR a.id < \(query.before))
            ORDER BY a.id DESC LIMIT \(query.most)
            """
        ).map(AuditRecord.init)
    }

    /// Deletes the entries that are older than `age`.
    ///
    /// - Returns: The number of deleted entries.
    public func forgetAudit(olderThan age: Duration) async throws -> Int {
        try await pool.query("DELETE FROM audit WHERE created_at < now() - \(fragment: interval(age))").affectedRows
    }
}
