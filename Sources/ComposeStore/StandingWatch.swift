public import ComposeModel
import Postgres

extension ComposeStore {
    /// The watch of that owner which stands for exactly this request: a new one where there is none. Of equal requests at the same time
    /// one begins it, and the others find it.
    ///
    /// - Parameters:
    ///   - request: Of the source type `tag`, and without an event. A time to live of less than a minute becomes a minute.
    ///   - limit: How many watches may stand for the caller; `nil`: any number.
    /// - Throws: ``CallerLimitReached``, `PostgresError`.
    public func standingWatch(owner: String, request: ComposeRequest, limit: CallerLimit? = nil) async throws -> ComposeWatch {
        let request = Self.lasting(request)
        return try await pool.withTransaction { connection in
            try await waitForTurn(owner, "'watch ' || \(PostgresJSON(request))::jsonb::text", on: connection)
            let rows = try await connection.query(
                """
                SELECT \(fragment: ComposeWatch.columns) FROM watches w
                WHERE w.owner = \(owner) AND w.request = \(PostgresJSON(request)) AND w.ended_at IS NULL ORDER BY w.id LIMIT 1
                """)
            if let watch = try rows.first.map(ComposeWatch.init) { return watch }
            if let limit { try await checkWatches(limit, on: connection) }
            return try await startWatch(owner: owner, request: request, caller: limit?.caller, on: connection)
        }
    }
}
