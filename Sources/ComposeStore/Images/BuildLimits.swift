import Postgres

extension ComposeStore {
    /// Checks that one more build or rebuild of an owner may be stored.
    ///
    /// - Parameter limits: `nil` if the owner is not one account.
    /// - Throws: ``OwnerLimitReached``, `PostgresError`.
    func checkBuilds(of owner: String, _ limits: OwnerLimits?, on connection: PostgresConnection) async throws {
        if let most = limits?.buildSteps {
            let rows = try await connection.query(Self.openSteps(of: owner))
            guard try rows[rows.startIndex].decode(Int.self, "steps") < most else {
                throw OwnerLimitReached(kind: .buildSteps, owner: owner, most: most, retryAfter: 600)
            }
        }
        if let most = limits?.buildMinutes {
            let rows = try await connection.query(Self.buildMinutes(of: owner))
            guard try rows[rows.startIndex].decode(Double.self, "minutes") < Double(most) else {
                throw OwnerLimitReached(kind: .buildMinutes, owner: owner, most: most, retryAfter: 3600)
            }
        }
    }

    /// A statement that counts the steps of an owner's builds that wait or are under way.
    static func openSteps(of owner: String) -> SQL {
        """
        SELECT count(*) AS steps FROM builds b JOIN build_steps s ON s.build_id = b.id
        WHERE b.owner = \(owner) AND b.state IN (0, 1) AND s.state IN (0, 1)
        """
    }

    /// A statement for the minutes that workers have spent on an owner's builds within 24 hours.
    static func buildMinutes(of owner: String) -> SQL {
        """
        SELECT coalesce(sum(extract(epoch FROM coalesce(a.ended_at, now()) - greatest(a.started_at, d.start))), 0)::float8 / 60
            AS minutes
        FROM (SELECT now() - interval '1 day' AS start) d
            JOIN builds b ON b.owner = \(owner) AND coalesce(b.time_done, 'infinity'::timestamptz) > d.start
            JOIN build_steps s ON s.build_id = b.id
            JOIN attempts a ON a.step_id = s.id AND (a.ended_at IS NULL OR a.ended_at > d.start)
        """
    }
}
