import ComposeModel
import Foundation
import Postgres

/// A queue position is the place of a waiting compose, and the reason why it waits.
public struct QueuePosition: Hashable, Sendable {
    /// The number of composes that are expected to begin before this one. It is counted up to
    /// ``mostCounted`` of each owner.
    public var ahead: Int
    /// A whole sentence.
    public var reason: String
    /// When the compose is expected to begin, in seconds from now. `nil` if that is not known, for example
    /// because no worker runs.
    public var estimateSeconds: Int?

    static let mostCounted = 1000
}

extension ComposeStore {
    /// Returns the position of a waiting compose. Returns `nil` if the compose does not wait.
    public func queuePosition(of id: Int) async throws -> QueuePosition? {
        let most = QueuePosition.mostCounted
        let start = FairTurns(queue: .composes).start
        // The owner's own composes come in the order of their age. Until this one comes, each other owner gets as
        // many turns as fit below the turn of this one.
        let rows = try await pool.query(
            """
            WITH RECURSIVE me AS (
                SELECT c.id, c.owner, c.available_at, c.available_at > now() AS rests, c.refused_by IS NOT NULL AS is_refused,
                    \(fragment: start) AS start, coalesce(o.weight, 1) AS weight, o.under_way_limit
                FROM composes c LEFT JOIN owners o USING (owner) WHERE c.id = \(id) AND c.state = 0
            ), own AS (
                SELECT count(*) AS ahead FROM (
                    SELECT FROM composes c, me WHERE c.state = 0 AND c.owner = me.owner
                        AND (c.available_at, c.id) < (me.available_at, me.id) LIMIT \(most)
                ) c
            ), waiting (owner) AS (
                (SELECT owner FROM composes WHERE state = 0 AND EXISTS (SELECT FROM me) ORDER BY owner LIMIT 1)
                UNION ALL
                SELECT (SELECT n.owner FROM composes n WHERE n.state = 0 AND n.owner > w.owner ORDER BY n.owner LIMIT 1)
                FROM waiting w WHERE w.owner IS NOT NULL
            ), others AS (
                SELECT coalesce(sum(c.ahead), 0)::bigint AS ahead
                FROM me, own, waiting w LEFT JOIN owners o USING (owner) CROSS JOIN LATERAL (
                    SELECT count(*) AS ahead FROM (
                        SELECT FROM composes c WHERE c.state = 0 AND c.owner = w.owner AND c.available_at <= now()
                        LIMIT least(\(most), greatest(0,
                            ceil((me.start + own.ahead / me.weight - \(fragment: start)) * coalesce(o.weight, 1)) + 1))::bigint
                    ) c
                ) c
                WHERE w.owner <> me.owner
            )
            SELECT me.rests, me.available_at, me.is_refused, me.under_way_limit, own.ahead AS own, others.ahead AS others,
                (SELECT count(*) FROM (SELECT FROM composes c WHERE c.lease_token IS NOT NULL AND c.owner = me.owner LIMIT \(most)) c)
                    AS under_way,
                (SELECT coalesce(sum(slots), 0)::bigint FROM workers
                    WHERE seen_at > now() - \(fragment: interval(Self.workerSilence))) AS slots,
                (SELECT avg(extract(epoch FROM d.time_done - d.time_started))::float8 FROM (
                    SELECT time_done, time_started FROM composes WHERE state = 2 AND time_started IS NOT NULL ORDER BY id DESC LIMIT 20
                ) d) AS seconds
            FROM me, own, others
            """)
        guard let row = rows.first else { return nil }
        let slots = try row.decode(Int.self, "slots")
        let (own, others) = (try row.decode(Int.self, "own"), try row.decode(Int.self, "others"))
        var position = QueuePosition(ahead: own + others, reason: "", estimateSeconds: nil)
        if slots > 0, let seconds = try row.decode(Double?.self, "seconds") {
            position.estimateSeconds = Int((Double(position.ahead) * seconds / Double(slots)).rounded(.up))
        }
        if slots == 0 {
            position.reason = "No worker runs at the moment."
        } else if let limit = try row.decode(Int?.self, "under_way_limit"), try row.decode(Int.self, "under_way") >= limit {
            let composes = limit == 1 ? "One of your composes is" : "\(limit) of your composes are"
            position.reason = "\(composes) under way, which is your limit."
            position.estimateSeconds = nil
        } else if try row.decode(Bool.self, "rests") {
            let time = try row.decode(Date.self, "available_at")
            position.reason = "It waits until \(time.formatted(.iso8601))."
            position.estimateSeconds = max(position.estimateSeconds ?? 0, Int(time.timeIntervalSinceNow.rounded(.up)))
        } else if try row.decode(Bool.self, "is_refused") {
            position.reason = "A worker could not make it. It waits for another worker."
            position.estimateSeconds = nil
        } else if position.ahead == 0 {
            position.reason = "It is the next one, when a worker has a free slot."
        } else {
            position.reason =
                position.ahead == 1
                ? "One compose is ahead\(own == 1 ? ", which is yours" : "")."
                : "\(position.ahead) composes are ahead, \(own) of them yours."
        }
        return position
    }
}
