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
            _ = try await store.pool.query(AuditEntry.recording(entries))
            return entries.map { _ in .success(()) }
        }
    }
}

extension ComposeStore {
    /// Returns the entries that meet the conditions, with the newest first.
    ///
    /// The entries of a token are found by the account of its owner, which an index has.
    public func audit(_ query: AuditQuery) async throws -> [AuditRecord] {
        try await pool.query(
            """
            SELECT \(fragment: AuditRecord.columns) FROM audit a
            WHERE (\(query.account)::text IS NULL OR a.account = \(query.account))
                AND (\(query.action)::text IS NULL OR a.action = \(query.action))
                AND (
                    \(query.token)::text IS NULL
                    OR a.token = \(query.token) AND a.account = (SELECT owner FROM tokens WHERE id = \(query.token))
                )
                AND (\(query.outcome?.rawValue)::text IS NULL OR a.outcome = \(query.outcome?.rawValue))
                AND (\(query.since)::timestamptz IS NULL OR a.created_at >= \(query.since))
                AND (\(query.before)::bigint IS NULL OR a.id < \(query.before))
            ORDER BY a.id DESC LIMIT \(query.most)
            """
        ).map(AuditRecord.init)
    }

    /// Deletes the entries that are older than `age`.
    ///
    /// - Parameter most: The maximum number of entries for one statement.
    /// - Returns: The number of deleted entries.
    public func forgetAudit(olderThan age: Duration, atOnce most: Int = 10_000) async throws -> Int {
        try await deleteRows(of: "audit", by: "created_at", olderThan: age, atOnce: most)
    }
}
