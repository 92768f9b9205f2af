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
    ///
    /// The transaction does not wait for the disk when it commits, because the next claim waits for the
    /// lock. If PostgreSQL crashes at that moment, the claim is lost. The worker then has a lost lease, and
    /// the work still waits.
    func lock(on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT set_config('synchronous_commit', 'off', true),
                pg_advisory_xact_lock(hashtextextended(current_schema() || ' turns of ' || \(name), 0))
            """)
    }

    /// Records that the owner has had a turn.
    func advance(_ owner: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query("WITH \(fragment: tables(ofTurnOf: "SELECT \(owner)::text AS owner")) SELECT")
    }

    /// Common tables that record that an owner has had a turn, for the statement that takes the work.
    ///
    /// - Parameter owner: A query for the owner in the column `owner`. Without a row, nothing is recorded.
    func tables(ofTurnOf owner: SQL) -> SQL {
        """
        turn_start AS MATERIALIZED (
            SELECT owner, \(fragment: start) AS turn FROM (\(fragment: owner)) w LEFT JOIN owners o USING (owner)
        ), turn_clock AS (
            UPDATE turn_clocks SET turn = turn_start.turn FROM turn_start WHERE queue = \(name)
        ), turn_owner AS (
            INSERT INTO owners AS o (owner, \(fragment: column)) SELECT owner, turn + 1 FROM turn_start
            ON CONFLICT (owner) DO UPDATE SET \(fragment: column) = excluded.\(fragment: column) - 1 + 1 / o.weight
        )
        """
    }
}

extension ComposeStore {
    /// Claims the oldest compose of the first owner by turns that has one for this worker. Rows that others
    /// hold are passed over.
    ///
    /// The owners are looked at in the order of their turns, until one has a compose. Neither the number of
    /// waiting composes nor the number of owners adds looks at the queue.
    ///
    /// - Parameter owners: The owners to look at. The others are left out.
    func claimByTurns(
        among owners: [String], by worker: String, present presence: WorkerPresence?, for length: Duration
    ) async throws -> PostgresRow? {
        let turns = FairTurns(queue: .composes)
        return try await pool.withTransaction { connection in
            try await turns.lock(on: connection)
            // Of owners with the same start, the one whose last turn is longer ago comes first.
            let next: SQL = """
                SELECT n.id FROM (
                    SELECT w.owner, w.number, o.under_way_limit, coalesce(o.\(fragment: turns.column), 0) AS turn,
                        \(fragment: turns.start) AS start
                    FROM unnest(\(owners)) WITH ORDINALITY AS w (owner, number) LEFT JOIN owners o USING (owner)
                    ORDER BY start, turn, w.number OFFSET 0
                ) w CROSS JOIN LATERAL (
                    SELECT n.id FROM composes n
                    WHERE n.state = 0 AND n.owner = w.owner AND n.available_at <= now()
                        AND (n.refused_by IS NULL OR NOT \(worker) = ANY(n.refused_by)) AND (
                            w.under_way_limit IS NULL OR w.under_way_limit > (
                                SELECT count(*) FROM (
                                    SELECT FROM composes u WHERE u.lease_token IS NOT NULL AND u.owner = w.owner LIMIT w.under_way_limit
                                ) u
                            )
                        )
                    ORDER BY n.available_at, n.id LIMIT 1 FOR UPDATE SKIP LOCKED
                ) n
                ORDER BY w.start, w.turn, w.number LIMIT 1
                """
            let row = try await connection.query(
                claimStatement(
                    next, from: .composes, by: worker, present: presence, for: length, setting: Self.beginning,
                    returning: Self.claimedColumns)
            ).first
            if let row { try await turns.advance(try row.decode(String.self, "owner"), on: connection) }
            return row
        }
    }

    /// Finds the owners of composes that the worker may claim now, by the age of their oldest compose.
    func ownersThatWait(for worker: String) async throws -> [String] {
        // One look at the index for each owner, however many composes the owner has.
        let rows = try await pool.query(
            """
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
            )
            SELECT owner FROM heads WHERE available_at <= now() ORDER BY available_at, id
            """)
        return try rows.map { try $0.decode(String.self, "owner") }
    }

    /// The assignments of a claim of a compose.
    static let beginning: SQL = "time_started = coalesce(c.time_started, now()), caller = NULL"
}
