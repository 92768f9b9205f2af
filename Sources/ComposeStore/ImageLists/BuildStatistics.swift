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
    /// The nodes of farms that are enabled and do not answer.
    public var lostNodes: Int
    /// The nodes of farms that get no steps, because a person or a lie has disabled them.
    public var disabledFarmNodes: Int
    /// The rules that cannot be followed, or whose builds do not help.
    public var rulesWithProblems: Int
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
            manifests: 0, manifestsOfUnknownContents: 0, disabledNodes: 0, lostNodes: 0, disabledFarmNodes: 0, rulesWithProblems: 0)
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
                (SELECT count(*) FROM nodes WHERE name <> 'local' AND is_enabled AND state = 'lost') AS lost,
                (SELECT count(*) FROM nodes WHERE name <> 'local' AND NOT is_enabled) AS disabled_on_farms,
                (SELECT count(*) FROM rules WHERE problem IS NOT NULL AND ended_at IS NULL) AS rules,
                count(*) AS manifests, count(*) FILTER (WHERE NOT m.is_known) AS unknown
            FROM image_manifests m JOIN images i ON i.id = m.image_id WHERE i.removed_at IS NULL
            """)
        let row = rows[rows.startIndex]
        statistics.depth = try row.decode(Int.self, "depth")
        statistics.disabledNodes = try row.decode(Int.self, "disabled")
        statistics.lostNodes = try row.decode(Int.self, "lost")
        statistics.disabledFarmNodes = try row.decode(Int.self, "disabled_on_farms")
        statistics.rulesWithProblems = try row.decode(Int.self, "rules")
        statistics.manifests = try row.decode(Int.self, "manifests")
        statistics.manifestsOfUnknownContents = try row.decode(Int.self, "unknown")
        return statistics
    }
}
