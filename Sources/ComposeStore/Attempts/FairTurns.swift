import ComposeModel
import Postgres

/// *Fair turns* decide which owner's work a worker takes next, so that an owner with many waiting
/// composes does not delay the others.
///
/// Each owner has a turn, which is a number. The work of the owner with the lowest turn comes first.
/// The turn then grows by 1 divided by the owner's weight. This is stride scheduling. The queue's clock
/// is the turn of the work that was taken last. An owner that had nothing to do starts at the clock, so
/// it has saved no turns.
///
/// Claims by turns run one after the other, because each changes the turns and counts the owner's work
/// under way.
struct FairTurns {
    let queue: WorkQueue

    /// The column of `owners` with the turns of the queue.
    var column: SQL {
        switch queue {
        case .composes: "compose_turn"
        case .buildSteps: "step_turn"
        }
    }

    /// The name of the queue's row of `turn_clocks`.
    private var name: String {
        switch queue {
        case .composes: "composes"
        case .buildSteps: "steps"
        }
    }

    /// The turn of the owner `o` for the work that is taken next, where `o` is a row of `owners` or NULL.
    var start: SQL {
        "greatest(coalesce(o.\(fragment: column), 0), (SELECT turn FROM turn_clocks WHERE queue = \(name)))"
    }

    /// Waits until no other transaction takes work of the queue by turns.
    func lock(on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' turns of ' || \(name), 0))")
    }

    /// Records that the owner has had a turn.
    func advance(_ owner: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            WITH start AS (
                SELECT \(fragment: start) AS turn FROM (SELECT \(owner)::text AS owner) w LEFT JOIN owners o USING (owner)
            ), clock AS (
                UPDATE turn_clocks SET turn = start.turn FROM start WHERE queue = \(name)
            )
            INSERT INTO owners AS o (owner, \(fragment: column)) SELECT \(owner), turn + 1 FROM start
            ON CONFLICT (owner) DO UPDATE SET \(fragment: column) = excluded.\(fragment: column) - 1 + 1 / o.weight
            """)
    }
}

extension ComposeStore {
    /// Claims the compose of the owner whose turn it is, if composes of several owners wait or the owner's
    /// work is limited.
    func claimByTurns(by worker: String, for length: Duration) async throws -> PostgresRow? {
        let turns = FairTurns(queue: .composes)
        return try await pool.withTransaction { connection in
            try await turns.lock(on: connection)
            // One look at the index for each owner finds its oldest compose that this worker has not refused,
            // however many composes it has. Rows that others hold are passed over.
            let next: SQL = """
                WITH RECURSIVE heads AS (
                    (
                        SELECT n.owner, n.available_at, n.id FROM composes n
                        WHERE n.state = 0 AND (n.refused_by IS NULL OR NOT \(worker) = ANY(n.refused_by))
                        ORDER BY n.owner, n.available_at, n.id LIMIT 1
                    )
                    UNION ALL
                    SELECT n.owner, n.available_at, n.id FROM heads h CROSS JOIN LATERAL (
                        SELECT n.owner, n.available_at, n.id FROM composes n
                        WHERE n.state = 0 AND n.owner > h.owner AND (n.refused_by IS NULL OR NOT \(worker) = ANY(n.refused_by))
                        ORDER BY n.owner, n.available_at, n.id LIMIT 1
                    ) n
                ), first AS MATERIALIZED (
                    SELECT h.id, h.available_at, \(fragment: turns.start) AS start
                    FROM heads h LEFT JOIN owners o USING (owner)
                    WHERE h.available_at <= now() AND (
                        o.under_way_limit IS NULL OR o.under_way_limit > (
                            SELECT count(*) FROM (
                                SELECT FROM composes u WHERE u.lease_token IS NOT NULL AND u.owner = h.owner LIMIT o.under_way_limit
                            ) u
                        )
                    )
                    ORDER BY start, h.available_at, h.id LIMIT 16
                )
                SELECT n.id FROM first JOIN composes n ON n.id = first.id WHERE n.state = 0
                ORDER BY first.start, first.available_at, first.id LIMIT 1 FOR UPDATE OF n SKIP LOCKED
                """
            let row = try await connection.query(
                claimStatement(
                    next, from: .composes, by: worker, for: length, setting: Self.beginning, returning: Compose.columns)
            ).first
            if let row { try await turns.advance(try row.decode(String.self, "owner"), on: connection) }
            return row
        }
    }

    /// The assignments of a claim of a compose.
    static let beginning: SQL = "time_started = coalesce(c.time_started, now()), caller = NULL"
}
