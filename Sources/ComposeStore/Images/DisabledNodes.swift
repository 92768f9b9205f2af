import ImageModel
import Postgres

/// Workers whose node builds no images any more.
extension ComposeStore {
    /// Records why the node of a worker builds no images. `nil` if it builds.
    public func record(nodeProblem problem: String?, of worker: String) async throws {
        _ = try await pool.query(
            "UPDATE workers SET node_problem = \(problem) WHERE name = \(worker) AND node_problem IS DISTINCT FROM \(problem)")
    }

    /// Gives a reason to the steps that a worker could claim if its node was not disabled. A step that has
    /// a reason keeps it, and the claim of another worker removes it.
    public func explain(waitingFor offer: StepOffer, because reason: String) async throws {
        _ = try await pool.query(
            """
            UPDATE build_steps SET state_reason = \(reason)
            WHERE id IN (
                SELECT id FROM build_steps WHERE state = 0 AND blocked_by = 0 AND state_reason IS NULL
                    AND platform = ANY(\(offer.platforms.map(\.description))) AND requires <@ \(PostgresJSON(offer.labels))
                FOR UPDATE SKIP LOCKED
            )
            """)
    }
}
