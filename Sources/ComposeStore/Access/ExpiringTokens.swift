import Postgres

extension ComposeStore {
    /// Stores an event, and an audit entry, for each token that expires within `time` and was not announced
    /// with this end of its life. The same transaction notes the announcement, so each end is announced
    /// once, even if several processes do this or one of them dies.
    ///
    /// A token that lives shorter than twice this time is announced when half of its life has passed. It
    /// would otherwise be announced as soon as it is made.
    ///
    /// - Returns: The announced tokens. The first one that expires is in front.
    public func announceTokens(expiringWithin time: Duration) async throws -> [APIToken] {
        try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                WITH expiring AS (
                    UPDATE tokens t SET warned_end = expires_at
                    WHERE id IN (
                        SELECT id FROM tokens
                        WHERE revoked_at IS NULL AND expires_at > now() AND expires_at <= now() + \(fragment: interval(time))
                            AND now() >= expires_at - (expires_at - coalesce(rotated_at, created_at)) / 2
                            AND warned_end IS DISTINCT FROM expires_at
                        FOR UPDATE SKIP LOCKED
                    )
                    RETURNING t.*
                ), announced AS (
                    INSERT INTO events (token_id, token)
                    SELECT t.id, \(fragment: APIToken.shown) FROM expiring t ORDER BY t.expires_at, t.id
                )
                SELECT \(fragment: APIToken.columns) FROM expiring t ORDER BY t.expires_at, t.id
                """)
            let tokens = try rows.map(APIToken.init)
            guard !tokens.isEmpty else { return [] }
            let sender = AuditSender(provider: "odcs-server")
            _ = try await connection.query(AuditEntry.recording(tokens.map { AuditEntry("token.expiring", $0, by: sender) }))
            _ = try await connection.query(
                "SELECT pg_notify(current_schema(), 'token ' || id) FROM unnest(\(tokens.map(\.id))) AS n (id)")
            return tokens
        }
    }
}
