import Postgres

// The findings of the service after a target directory or its database was lost or restored.
extension ComposeStore {
    /// Returns the results of a target directory whose files should exist.
    public func results(inTarget name: String) async throws -> [Int] {
        try await pool.query("SELECT id FROM results WHERE target_dir = \(name) AND retired_at IS NULL").map {
            try $0.decode(Int.self, "id")
        }
    }

    /// Moves the composes that show lost results to the state `removed`. A renewal then makes them again,
    /// and no other compose shows these results.
    ///
    /// - Returns: The composes.
    public func retire(lost results: [Int]) async throws -> [Int] {
        defer { newEvents.report() }
        return try await pool.withTransaction { connection in
            // Expirers and this operation change composes one after the other, and results before composes.
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' expirer', 0))")
            _ = try await connection.query(
                "SELECT id FROM results WHERE id = ANY(\(results.sorted())) AND retired_at IS NULL ORDER BY id FOR UPDATE")
            let removed = try await connection.query(
                """
                UPDATE composes c SET state = 3, time_removed = now(), time_to_expire = now(),
                    state_reason = concat_ws(
                        E'\\n', c.state_reason, 'Removed: its files were lost. A renewal makes the compose again from the same inputs.')
                WHERE c.result_id = ANY(\(results)) AND c.state = 2 RETURNING c.id
                """)
            _ = try await connection.query(
                "UPDATE results SET retired_at = now(), deleted_at = now() WHERE id = ANY(\(results)) AND retired_at IS NULL")
            return try removed.map { try $0.decode(Int.self, "id") }
        }
    }

    /// Lets new composes begin with a number above `number`. The directories up to that number belong to
    /// composes that the database has lost.
    ///
    /// - Returns: Whether numbers were left out.
    public func skipComposeNumbers(upTo number: Int) async throws -> Bool {
        let rows = try await pool.query(
            """
            SELECT setval(pg_get_serial_sequence('composes', 'id'), \(number))
            FROM (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('composes', 'id')::regclass), 0) AS last) s
            WHERE s.last < \(number)
            """)
        return !rows.isEmpty
    }
}
