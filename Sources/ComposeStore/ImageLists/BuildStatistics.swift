public import ImageModel
import Postgres

/// The state of image building in a few numbers.
public struct BuildStatistics: Sendable {
    /// The open builds by their state.
    public var builds: [BuildState: Int]
    /// The steps of open builds by their state.
    public var steps: [StepState: Int]
    /// The number of steps that a worker could claim now.
    public var depth: Int
    /// The number of manifests in use, and the number of those whose contents are not known.
    public var manifests: Int
    public var manifestsOfUnknownContents: Int
    /// The number of live workers whose node is disabled.
    public var disabledNodes: Int
}

extension ComposeStore {
    /// Returns the statistics of image building. The number of rows it reads grows with open builds and
    /// with images, and not with all builds that ever existed.
    public func buildStatistics() async throws -> BuildStatistics {
        let counts = try await pool.query(
            """
            SELECT 'build' AS kind, b.state, count(*) AS number FROM builds b WHERE b.state IN (0, 1) GROUP BY b.state
            UNION ALL SELECT 'step', s.state, count(*) FROM builds b JOIN build_steps s ON s.build_id = b.id
            WHERE b.state IN (0, 1) GROUP BY s.state
            """)
        var statistics = BuildStatistics(
            builds: [.wait: 0, .building: 0], steps: Dictionary(uniqueKeysWithValues: StepState.allCases.map { ($0, 0) }), depth: 0,
            manifests: 0, manifestsOfUnknownContents: 0, disabledNodes: 0)
        for row in counts {
            let (state, number) = (try row.decode(Int.self, "state"), try row.decode(Int.self, "number"))
            if try row.decode(String.self, "kind") == "build" {
                if let state = BuildState(rawValue: state) { statistics.builds[state] = number }
            } else if let state = StepState(rawValue: state) {
                statistics.steps[state] = number
            }
        }
        let rows = try await pool.query(
            """
            SELECT (SELECT count(*) FROM build_steps WHERE state = 0 AND blocked_by = 0 AND available_at <= now()) AS depth,
                (SELECT count(*) FROM workers WHERE node_problem IS NOT NULL AND seen_at > now() - \(fragment: interval(Self.workerSilence)))
                    AS disabled,
                count(*) AS manifests, count(*) FILTER (WHERE NOT m.is_known) AS unknown
            FROM image_manifests m JOIN images i ON i.id = m.image_id WHERE i.removed_at IS NULL
            """)
        let row = rows[rows.startIndex]
        statistics.depth = try row.decode(Int.self, "depth")
        statistics.disabledNodes = try row.decode(Int.self, "disabled")
        statistics.manifests = try row.decode(Int.self, "manifests")
        statistics.manifestsOfUnknownContents = try row.decode(Int.self, "unknown")
        return statistics
    }
}
