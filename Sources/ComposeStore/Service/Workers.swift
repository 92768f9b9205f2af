import Postgres

extension ComposeStore {
    /// The time without a sign of life after which a worker no longer counts as alive.
    static let workerSilence = Duration.seconds(60)

    /// Records that a worker is alive, and deletes workers that have been silent for a day.
    public func workerIsAlive(_ name: String, slots: Int) async throws {
        _ = try await pool.query(
            """
            INSERT INTO workers (name, slots) VALUES (\(name), \(slots))
            ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, seen_at = now()
            """)
        _ = try await pool.query("DELETE FROM workers WHERE seen_at < now() - interval '1 day'")
    }

    /// Records that a worker stopped.
    public func workerStopped(_ name: String) async throws {
        _ = try await pool.query("DELETE FROM workers WHERE name = \(name)")
    }
}
