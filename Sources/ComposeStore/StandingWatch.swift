public import ComposeModel
import Postgres

extension ComposeStore {
    /// Returns the owner's watch for exactly this request, and starts it if it does not exist. If equal
    /// requests arrive at the same time, one of them starts the watch and the others find it.
    ///
    /// - Parameters:
    ///   - request: A request of the source type `tag`, without an event. A time to live of less than a
    ///     minute becomes a minute.
    ///   - limit: The number of watches that may stand for the caller, or `nil` for any number.
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
