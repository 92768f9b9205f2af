public import Foundation
public import ImageModel
import Postgres

/// The inputs of builds and their leftovers, for the worker that builds.
extension ComposeStore {
    /// Records the exact inputs of a build. Inputs that an earlier step recorded stay as they are.
    ///
    /// - Parameter origin: How the platform is made.
    /// - Returns: The inputs that all steps use, or `nil` if the lease was lost.
    public func pin(_ lease: StepLease, _ pins: BuildPins, _ origin: StepOrigin? = nil) async throws -> BuildPins? {
        try await pool.transaction([
            """
            UPDATE build_steps SET origin = coalesce(\(origin.map { PostgresJSON($0) }), origin) WHERE \(fragment: lease.guardCondition)
            """,
            """
            UPDATE builds b SET pins = jsonb_strip_nulls(jsonb_build_object(
                'commit', coalesce(b.pins->'commit', n.pins->'commit'),
                'images', (n.pins->'images') || coalesce(b.pins->'images', '{}')))
            FROM (SELECT \(PostgresJSON(pins)) AS pins) n
            WHERE b.id = \(lease.step.build) AND b.state = 1
                AND EXISTS (SELECT FROM build_steps WHERE \(fragment: lease.guardCondition))
            RETURNING b.pins
            """,
        ])[1].first?.decode(PostgresJSON<BuildPins>.self, "pins").value
    }

    /// Records the comparison of a platform's contents before and after a build.
    ///
    /// - Returns: `false` if the lease was lost. Nothing was changed then.
    public func record(_ verification: Verification, of platform: Platform, under lease: StepLease) async throws -> Bool {
        try await pool.query(
            """
            UPDATE builds b SET verification = coalesce(b.verification, '{}')
                || jsonb_build_object(\(platform.description)::text, \(PostgresJSON(verification)))
            WHERE b.id = \(lease.step.build) AND b.state = 1
                AND EXISTS (SELECT FROM build_steps WHERE \(fragment: lease.guardCondition))
            """
        ).affectedRows == 1
    }

    /// Returns the comparisons of the contents before and after a build, for the platforms that were built.
    public func verifications(of build: Int) async throws -> [Platform: Verification] {
        let rows = try await pool.query("SELECT verification FROM builds WHERE id = \(build) AND verification IS NOT NULL")
        guard let found = try rows.first?.decode(PostgresJSON<[String: Verification]>.self, "verification").value else { return [:] }
        return try Build.verifications(found)
    }

    /// Returns the steps that a worker has begun and that did not end, with the times at which their builds
    /// were submitted. Their images on the worker's node are still needed.
    public func begunSteps() async throws -> [Int: Date] {
        let rows = try await pool.query(
            """
            SELECT s.id, b.time_submitted FROM build_steps s JOIN builds b ON b.id = s.build_id
            WHERE s.state IN (0, 1) AND s.attempts > 0
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.decode(Int.self, "id"), try $0.decode(Date.self, "time_submitted")) })
    }

    /// Returns those of the builds that ended longer than `age` ago.
    public func builds(among ids: [Int], endedBefore age: Duration) async throws -> Set<Int> {
        let rows = try await pool.query(
            "SELECT id FROM builds WHERE id = ANY(\(ids)) AND time_done < now() - \(fragment: interval(age))")
        return Set(try rows.map { try $0.decode(Int.self, "id") })
    }
}
