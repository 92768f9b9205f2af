import Postgres

extension ComposeStore {
    /// The time that a user's request waits for a row that another transaction holds.
    private static let rowPatience = Duration.seconds(3)

    /// Runs `body` in a transaction. `body` locks the rows that it needs with NOWAIT.
    ///
    /// If another transaction holds one of the rows, `body` is run again after a pause. No connection is
    /// held during the pause, so requests for other rows are answered even if many requests wait for one
    /// row.
    ///
    /// - Throws: The errors of `body`. After three seconds this includes the transient `PostgresError` of a
    ///   locked row.
    func withFreeRows<R: Sendable>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let deadline = ContinuousClock.now + Self.rowPatience
        var pause = Duration.milliseconds(5)
        while true {
            do {
                return try await pool.withTransaction(body)
            } catch let error as PostgresError where error.isOfLockedRow && ContinuousClock.now < deadline {
                // PostgreSQL reports a free row only to a session that waits for it, and each waiting session has its
                // own connection.
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(200))
            }
        }
    }
}
