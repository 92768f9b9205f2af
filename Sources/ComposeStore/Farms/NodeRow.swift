import Foundation
import ImageModel
import Postgres

extension FarmNode {
    /// The columns of `nodes AS n` that ``init(_:)`` reads. The platforms of `local` are those of the
    /// workers that are alive, and so are its slots.
    static let columns: SQL = """
        n.name, n.connection, n.identity, n.weight, n.labels, n.delivery, n.is_enabled, n.absent, n.engine, n.probe_asked,
        n.prune_asked, n.prune_result, n.seen_at, n.probed_at,
        CASE WHEN n.name = 'local' THEN coalesce(l.slots, 0) ELSE n.slots END AS slots,
        CASE WHEN n.name <> 'local' THEN n.state WHEN l.slots > 0 THEN 'ready' ELSE 'lost' END AS state,
        CASE WHEN n.name <> 'local' OR l.slots > 0 THEN n.problem
            ELSE coalesce(l.problem, 'No worker is alive that builds images itself.') END AS problem,
        CASE WHEN n.name = 'local' THEN coalesce(l.native, '{}') ELSE n.native END AS native,
        CASE WHEN n.name = 'local' THEN coalesce(l.emulated, '{}') ELSE n.emulated END AS emulated,
        (SELECT count(*) FROM build_steps r WHERE r.state = 1 AND r.node = n.name) AS busy
        """

    /// The rows that ``columns`` are of.
    static let rows: SQL = """
        nodes n LEFT JOIN LATERAL (
            SELECT sum(w.image_slots) FILTER (WHERE w.node_problem IS NULL) AS slots, max(w.node_problem) AS problem,
                array(
                    SELECT DISTINCT p FROM workers a CROSS JOIN unnest(a.native) AS p
                    WHERE a.node_problem IS NULL AND \(fragment: ComposeStore.isAlive("a")) ORDER BY p
                ) AS native,
                array(
                    SELECT DISTINCT p FROM workers a CROSS JOIN unnest(a.emulated) AS p
                    WHERE a.node_problem IS NULL AND \(fragment: ComposeStore.isAlive("a")) ORDER BY p
                ) AS emulated
            FROM workers w WHERE w.image_slots > 0 AND \(fragment: ComposeStore.isAlive("w"))
        ) l ON n.name = 'local'
        """

    init(_ row: PostgresRow) throws {
        self.init(
            name: try row.decode(String.self, "name"), connection: try NodeConnection(row.decode(String.self, "connection")))
        identity = try row.decode(String?.self, "identity")
        slots = try row.decode(Int.self, "slots")
        weight = try row.decode(Int.self, "weight")
        labels = try row.decode(PostgresJSON<[String: String]>.self, "labels").value
        delivery = Delivery(rawValue: try row.decode(String.self, "delivery")) ?? .push
        isEnabled = try row.decode(Bool.self, "is_enabled")
        // A state of a newer version counts as unknown.
        state = State(rawValue: try row.decode(String.self, "state")) ?? .new
        problem = try row.decode(String?.self, "problem")
        native = try row.decode([String].self, "native").map { try Platform($0) }
        emulated = try row.decode([String].self, "emulated").map { try Platform($0) }
        for (platform, reason) in try row.decode(PostgresJSON<[String: String]>.self, "absent").value {
            absent[try Platform(platform)] = reason
        }
        engine = try row.decode(String?.self, "engine")
        timeSeen = try row.decode(Date?.self, "seen_at")
        timeProbed = try row.decode(Date?.self, "probed_at")
        awaitsProbe = try row.decode(Bool.self, "probe_asked")
        prune = NodePrune(
            asked: try row.decode(PostgresJSON<PruneRequest>?.self, "prune_asked")?.value,
            result: try row.decode(PostgresJSON<PruneResult>?.self, "prune_result")?.value)
        busy = try row.decode(Int.self, "busy")
    }
}

extension ComposeStore {
    /// A condition that holds for a row of `workers` with a recent sign of life.
    static func isAlive(_ worker: SQL) -> SQL { "\(fragment: worker).seen_at > now() - \(fragment: interval(workerSilence))" }
}
