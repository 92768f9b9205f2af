public import ImageModel
import Postgres

/// The *places* of steps are the nodes that can build a platform now, each with the platform. A claim
/// and a schedule choose among them by the same rule:
///
/// 1. A place is one of the nodes that the step names, or of its farm, or of the default farm. Without
///    a default farm, it is any node. A build that installs the packages of composes needs a worker's
///    own node or a node of podman.
/// 2. The platform is tried there, and the node has the labels that the step requires.
/// 3. A node that could not build the step comes last. The node of the attempt before comes first,
///    because it may have the image already. For a while, the step waits for it if it is busy.
/// 4. A node that runs the platform itself comes before one with an emulator. An emulator builds only
///    if no such node is alive, or if the step has waited for a while.
/// 5. The node with the greatest weight comes first, then the one with the most free slots.
struct Places {
    /// The time that a step waits for a node that runs its platform itself, while all such nodes are busy.
    static let patience = Duration.seconds(60)

    /// The two common tables `places` and `farm_scopes`. A row of `places` is a node and a platform.
    ///
    /// - Parameters:
    ///   - worker: The worker that claims. Its own node is described by `offer`.
    ///   - offer: The work that the worker can do now.
    static func tables(for worker: String, _ offer: StepOffer) -> SQL {
        """
        farm_scopes AS MATERIALIZED (
            SELECT f.name, f.is_default, array(SELECT node FROM farm_nodes WHERE farm = f.name) AS nodes FROM farms f
        ), places AS MATERIALIZED (
            SELECT n.name AS node, p AS platform, NOT p = ANY(\(offer.emulated.map(\.description))) AS is_native, n.weight, 1 AS free,
                \(PostgresJSON(offer.labels)) AS labels, true AS is_mine, true AS shows_composes
            FROM nodes n CROSS JOIN unnest(\(offer.platforms.map(\.description))) AS p WHERE n.name = 'local' AND n.is_enabled
            UNION ALL
            \(fragment: workers(except: worker))
            UNION ALL
            \(fragment: engines(areMine: offer.nodes))
        )
        """
    }

    /// The same tables for a look from outside: every place counts.
    static let all: SQL = """
        farm_scopes AS MATERIALIZED (
            SELECT f.name, f.is_default, array(SELECT node FROM farm_nodes WHERE farm = f.name) AS nodes FROM farms f
        ), places AS MATERIALIZED (
            \(fragment: workers(except: ""))
            UNION ALL
            \(fragment: engines(areMine: true))
        )
        """

    /// The own nodes of other workers.
    private static func workers(except worker: String) -> SQL {
        """
        SELECT n.name, p.platform, p.is_native, n.weight, 0, w.labels, \(worker.isEmpty), true
        FROM nodes n CROSS JOIN workers w CROSS JOIN LATERAL (
            SELECT unnest(w.native), true UNION ALL SELECT unnest(w.emulated), false
        ) AS p (platform, is_native)
        WHERE n.name = 'local' AND n.is_enabled AND w.name <> \(worker) AND w.image_slots > 0 AND w.node_problem IS NULL
            AND \(fragment: ComposeStore.isAlive("w"))
        """
    }

    private static func engines(areMine: Bool) -> SQL {
        """
        SELECT n.name, p.platform, p.is_native, n.weight,
            n.slots - (SELECT count(*) FROM build_steps r WHERE r.state = 1 AND r.node = n.name)::integer, n.labels, \(areMine),
            coalesce(starts_with(n.engine, \(FarmNode.podman)), false)
        FROM nodes n CROSS JOIN LATERAL (
            SELECT unnest(n.native), true UNION ALL SELECT unnest(n.emulated), false
        ) AS p (platform, is_native)
        WHERE n.name <> 'local' AND n.is_enabled AND n.state = 'ready'
        """
    }

    /// A condition: the place `p` can build the step `s`, if it has a free slot. Docker cannot show the
    /// packages of composes to a build.
    private static func fits(_ place: SQL) -> SQL {
        """
        \(fragment: place).platform = s.platform AND s.requires <@ \(fragment: place).labels
            AND CASE WHEN s.nodes IS NOT NULL THEN \(fragment: place).node = ANY(s.nodes)
                WHEN s.farm IS NOT NULL
                    THEN EXISTS (SELECT FROM farm_scopes f WHERE f.name = s.farm AND \(fragment: place).node = ANY(f.nodes))
                ELSE NOT EXISTS (SELECT FROM farm_scopes f WHERE f.is_default AND NOT \(fragment: place).node = ANY(f.nodes)) END
            AND (\(fragment: place).shows_composes OR NOT \(fragment: hasComposes))
        """
    }

    private static let hasComposes: SQL = "EXISTS (SELECT FROM build_composes c WHERE c.build_id = s.build_id)"

    /// A query for the best place for the step `s` that the worker can use now: its `node` and `is_native`.
    static let best: SQL = """
        SELECT p.node, p.is_native FROM places p
        WHERE p.is_mine AND p.free > 0 AND \(fragment: fits("p"))
            AND (NOT p.node = ANY(s.failed_nodes) OR NOT EXISTS (
                SELECT FROM places q WHERE \(fragment: fits("q")) AND NOT q.node = ANY(s.failed_nodes)))
            AND (p.is_native OR s.available_at < now() - \(fragment: interval(patience)) OR NOT EXISTS (
                SELECT FROM places q WHERE q.is_native AND \(fragment: fits("q")) AND NOT q.node = ANY(s.failed_nodes)))
            AND (s.node IS NULL OR s.node IN ('local', p.node) OR s.node = ANY(s.failed_nodes)
                OR s.available_at < now() - \(fragment: interval(patience))
                OR NOT EXISTS (SELECT FROM places q WHERE q.node = s.node AND \(fragment: fits("q"))))
        ORDER BY p.node = ANY(s.failed_nodes), p.node IS NOT DISTINCT FROM s.node AND NOT p.node = ANY(s.failed_nodes) DESC,
            p.is_native DESC, p.weight DESC, p.free DESC, p.node LIMIT 1
        """
}
