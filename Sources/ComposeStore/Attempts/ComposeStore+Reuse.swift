public import ComposeModel
import Postgres

/// The next step for a compose once its inputs are pinned.
public enum Settlement: Hashable, Sendable {
    /// No equal compose exists, so the worker builds it.
    case build
    /// The compose shows the result of an equal compose, whose id is given, and is done.
    case reused(Int)
    /// An equal compose, whose id is given, is being built. This compose ends as that one does.
    case joined(Int)
    case leaseLost
}

extension ComposeStore {
    /// Records the exact inputs of the compose, and finds out whether an equal compose exists or is being
    /// built.
    ///
    /// Composes with equal specifications are settled one after the other. If two of them are pinned at the
    /// same time, one builds and the other joins it.
    ///
    /// A worker that has to build does not wait until the disk has the inputs. If PostgreSQL crashes then,
    /// they are lost, and `finish` notices it.
    ///
    /// - Parameters:
    ///   - source: The words of `source` as resolved.
    ///   - kojiEvent: The event of Koji's history as of which the compose is made.
    ///   - mayReuse: Whether a result that was made of the same inputs is certain to have the content that
    ///     the inputs give now.
    ///   - reason: The `state_reason` of the compose if it reuses a result.
    public func settle(
        _ lease: ComposeLease, as specification: ComposeSpecification, source: String, kojiEvent: Int? = nil, mayReuse: Bool = true,
        reason: @Sendable (Int) -> String
    ) async throws -> Settlement {
        defer { newEvents.report() }
        let key = try specification.key()
        let pin: SQL = """
            UPDATE composes c SET specification = \(PostgresJSON(specification)), specification_key = \(key), source = \(source),
                koji_event = coalesce(\(kojiEvent), koji_event)
            WHERE \(fragment: lease.guardCondition)
            """
        let isShared = !lease.compose.request.flags.contains(.noReuse) && specification.sourceType.traits.isReusable
        return try await pool.withTransaction(beginningWith: Self.withoutDisk) { connection in
            guard isShared else { return try await connection.query(pin).affectedRows == 1 ? .build : .leaseLost }
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || \(key), 0))")
            guard try await connection.query(pin).affectedRows == 1 else { return .leaseLost }

            // Composes that are being built come first. If the other one finishes while this statement waits for
            // its row, the next statement sees its result.
            let underWay = try await connection.query(
                """
                SELECT id FROM composes WHERE specification_key = \(key) AND lease_token IS NOT NULL AND id <> \(lease.compose.id)
                ORDER BY id LIMIT 1 FOR UPDATE
                """)
            if let other = try underWay.first?.decode(Int.self, "id") {
                _ = try await connection.query(
                    """
                    UPDATE composes c SET joined_to = \(other), lease_token = NULL, lease_expires_at = NULL
                    WHERE \(fragment: lease.guardCondition)
                    """)
                // Composes that joined this one in an earlier attempt follow it.
                _ = try await connection.query("UPDATE composes SET joined_to = \(other) WHERE joined_to = \(lease.compose.id)")
                try await close(lease, as: "joined", on: connection)
                try await Self.waitForDisk(connection)
                return .joined(other)
            }

            guard mayReuse else { return .build }
            // The result was built from the same inputs. Or a compose with the same inputs shows it, because the
            // packages were the same.
            let isEqual: SQL = """
                r.id IN (
                    SELECT id FROM results WHERE specification_key = \(key) AND retired_at IS NULL
                    UNION ALL SELECT result_id FROM composes WHERE specification_key = \(key) AND state = 2
                )
                """
            return try await reuse(isEqual, for: lease, reason: reason, on: connection).map { .reused($0) } ?? .build
        }
    }

    /// Finds out whether a result with the same packages exists, although the inputs of the compose have
    /// changed. The packages must have been chosen before.
    ///
    /// If two composes choose the same packages at the same time, each builds its own result. The packages
    /// of an attempt are known late, and the next attempt at the same compose may choose others. Therefore
    /// no compose waits for another one here.
    ///
    /// - Parameters:
    ///   - packagesKey: The key of the `ComposedPackages`.
    ///   - reason: The `state_reason` of the compose if it shows that result.
    public func settle(
        _ lease: ComposeLease, packagesKey: String, reason: @Sendable (Int) -> String
    ) async throws -> Settlement {
        defer { newEvents.report() }
        if lease.compose.request.flags.contains(.noReuse) { return .build }
        return try await pool.withTransaction(beginningWith: Self.withoutDisk) { connection in
            let held = try await connection.query("SELECT id FROM composes c WHERE \(fragment: lease.guardCondition) FOR UPDATE")
            guard !held.isEmpty else { return .leaseLost }
            return try await reuse("r.packages_key = \(packagesKey)", for: lease, reason: reason, on: connection).map { .reused($0) }
                ?? .build
        }
    }

    /// Makes the compose done with the newest matching result that some compose shows, if there is one.
    ///
    /// - Parameter condition: A condition on `results AS r`.
    /// - Returns: The id of that result, or `nil`.
    private func reuse(
        _ condition: SQL, for lease: ComposeLease, reason: (Int) -> String, on connection: PostgresConnection
    ) async throws -> Int? {
        let finished = try await connection.query(
            """
            SELECT r.id FROM results r WHERE \(fragment: condition) AND r.retired_at IS NULL
            AND EXISTS (SELECT FROM composes c WHERE c.result_id = r.id AND c.state = 2)
            ORDER BY r.id DESC LIMIT 1 FOR UPDATE
            """)
        guard let result = try finished.first?.decode(Int.self, "id") else { return nil }
        try await show(
            result, composeID: "(SELECT pungi_compose_id FROM composes WHERE id = \(result))", for: lease, reason: reason(result),
            on: connection)
        try await close(lease, as: "joined", on: connection)
        try await Self.waitForDisk(connection)
        return result
    }

    /// The beginning of a transaction that does not wait for the disk when it commits.
    private static let withoutDisk = "SET LOCAL synchronous_commit = off"

    /// Makes such a transaction wait nevertheless, because its outcome is the end of a compose.
    private static func waitForDisk(_ connection: PostgresConnection) async throws {
        _ = try await connection.query("SET LOCAL synchronous_commit TO DEFAULT")
    }

    /// Returns the pin of a Koji tag with the latest event among its last composes, or `nil` if there is no
    /// such compose. Only composes whose request names no event and has no lock file count.
    public func latestKojiPin(ofTag tag: String) async throws -> KojiPin.Tag? {
        // The number of composes is bounded here, because a tag may have any number of them. A renewed compose
        // has an old event.
        let rows = try await pool.query(
            """
            SELECT specification FROM (
                SELECT specification, koji_event FROM composes
                WHERE left(source, 200) = left(\(tag), 200) AND source = \(tag) AND source_type = \(SourceType.tag.rawValue)
                    AND koji_event IS NOT NULL AND specification IS NOT NULL AND request->>'kojiEvent' IS NULL
                    AND request->'lock' IS NULL
                ORDER BY id DESC LIMIT 50
            ) last ORDER BY koji_event DESC LIMIT 1
            """)
        return try rows.first?.decode(PostgresJSON<ComposeSpecification>.self, "specification").value.pins.koji?.tag
    }

    /// Moves the compose, and those that joined it, to the state `done`. They show `result`. All composes
    /// that show a result expire with it, at the latest of their times.
    ///
    /// - Parameter composeID: The result's id in the metadata of productmd, as a value or an expression.
    func show(_ result: Int, composeID: SQL, for lease: ComposeLease, reason: String, on connection: PostgresConnection) async throws {
        let id = lease.compose.id
        let done = try await connection.query(
            """
            UPDATE composes SET state = 2, state_reason = \(reason.bounded(to: ComposeFailure.mostMessageBytes)), failure = NULL, time_done = now(), result_id = \(result),
                pungi_compose_id = \(fragment: composeID),
                time_to_expire = now() + make_interval(secs => (request->>'secondsToLive')::float8),
                joined_to = NULL, lease_token = NULL, lease_expires_at = NULL
            WHERE state = 1 AND (id = \(id) OR joined_to = \(id)) RETURNING (request->>'secondsToLive')::float8 AS seconds
            """)
        // A result that this compose built has the right time already.
        if result == id, done.affectedRows == 1 { return }
        try await extend(result, by: try done.map { try $0.decode(Double.self, "seconds") }.max() ?? 0, on: connection)
    }

    /// Extends the life of a result and of all composes that show it to at least that many seconds from
    /// now. This changes one row, independently of the number of composes.
    func extend(_ result: Int, by seconds: Double, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE results SET expires_at = now() + make_interval(secs => \(seconds))
            WHERE id = \(result) AND retired_at IS NULL AND expires_at < now() + make_interval(secs => \(seconds))
            """)
    }
}
