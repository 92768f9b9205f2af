public import ComposeModel
import Postgres

/// The state of the whole service in a few numbers.
public struct QueueStatistics: Sendable {
    public struct Count: Sendable {
        public let sourceType: SourceType
        public let state: ComposeState
        public let composes: Int
    }

    public var counts: [Count]
    /// The number of composes that wait for a worker. A compose that waits for signatures counts only when
    /// it is due to check them again.
    public var depth: Int
    /// The time that the oldest of these composes has waited, in seconds. It is 0 if no compose waits.
    public var oldestWaitSeconds: Double
    public var workersAlive: Int
    /// The number of standing watches, and the number of those that have a problem.
    public var watches: Int
    public var watchesWithProblem: Int
    /// The number of API tokens that are valid and end soon.
    public var tokensExpiring: Int
}

extension ComposeStore {
    /// Returns the statistics of the service. The number of rows it reads grows with the composes that are
    /// not removed, and not with all composes that ever existed.
    ///
    /// - Parameter warning: The time within which an API token ends soon.
    public func statistics(warning: Duration = APIToken.warning) async throws -> QueueStatistics {
        let counts = try await pool.query(
            """
            SELECT source_type, state, count(*) AS composes FROM composes WHERE state <> 3 GROUP BY 1, 2
            UNION ALL SELECT source_type, 3, composes FROM removed_composes ORDER BY 1, 2
            """)
        let queue = try await pool.query(
            """
            SELECT count(*) AS depth, coalesce(extract(epoch FROM now() - min(greatest(time_submitted, CASE WHEN unsigned_since IS NOT NULL THEN available_at END))), 0)::float8 AS oldest,
                (SELECT count(*) FROM workers WHERE seen_at > now() - \(fragment: interval(Self.workerSilence))) AS workers,
                (SELECT count(*) FROM watches WHERE ended_at IS NULL) AS watches,
                (SELECT count(*) FROM watches WHERE ended_at IS NULL AND problem IS NOT NULL) AS problems,
                (
                    SELECT count(*) FROM tokens
                    WHERE revoked_at IS NULL AND expires_at > now() AND expires_at < now() + \(fragment: interval(warning))
                ) AS tokens
            FROM composes WHERE state = 0 AND (unsigned_since IS NULL OR available_at <= now())
            """)
        let row = queue[queue.startIndex]
        return QueueStatistics(
            counts: try counts.compactMap {
                guard let type = SourceType(rawValue: try $0.decode(Int.self, "source_type")),
                    let state = ComposeState(rawValue: try $0.decode(Int.self, "state"))
                else { return nil }
                return .init(sourceType: type, state: state, composes: try $0.decode(Int.self, "composes"))
            },
            depth: try row.decode(Int.self, "depth"), oldestWaitSeconds: try row.decode(Double.self, "oldest"),
            workersAlive: try row.decode(Int.self, "workers"), watches: try row.decode(Int.self, "watches"),
            watchesWithProblem: try row.decode(Int.self, "problems"), tokensExpiring: try row.decode(Int.self, "tokens"))
    }
}
