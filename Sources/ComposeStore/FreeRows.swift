import Postgres

extension ComposeStore {
    /// How long a person's request waits for a row that another transaction holds.
    private static let rowPatience = Duration.seconds(3)

    /// Runs `body`, which locks the rows that it needs with NOWAIT, in a transaction. While another transaction holds one of the rows, it is run
    /// again and again, and holds no connection in between: however many wait for a row, others are answered.
    ///
    /// - Throws: What `body` throws: after a few seconds also the `PostgresError` that says that a row is locked, which is transient.
    func withFreeRows<R: Sendable>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let deadline = ContinuousClock.now + Self.rowPatience
        var pause = Duration.milliseconds(5)
        while true {
            do {
                return try await pool.withTransaction(body)
            } catch let error as PostgresError where error.isOfLockedRow && ContinuousClock.now < deadline {
                // PostgreSQL signals a row that becomes free to sessions alone that wait for it, each with a connection of its own.
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(200))
            }
        }
    }
}
