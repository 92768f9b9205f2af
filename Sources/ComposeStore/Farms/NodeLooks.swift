public import Foundation
public import ImageModel
import Postgres

/// The result of a look at a node.
public struct NodeLook: Hashable, Sendable {
    /// The platforms, if their programs were tried.
    public struct Probe: Hashable, Sendable {
        public var native: [Platform]
        public var emulated: [Platform]
        /// Why other platforms are not built there.
        public var absent: [Platform: String]

        public init(native: [Platform] = [], emulated: [Platform] = [], absent: [Platform: String] = [:]) {
            self.native = native
            self.emulated = emulated
            self.absent = absent
        }
    }

    /// Why the node is lost, in a sentence. `nil` if it answers.
    public var problem: String?
    public var engine: String?
    public var probe: Probe?
    public var prune: PruneResult?

    public init(problem: String? = nil, engine: String? = nil, probe: Probe? = nil, prune: PruneResult? = nil) {
        self.problem = problem
        self.engine = engine
        self.probe = probe
        self.prune = prune
    }
}

/// Looks at nodes. One worker looks at a node at a time.
extension ComposeStore {
    /// Takes the nodes whose time for a look has come. Other workers leave them alone meanwhile.
    ///
    /// - Parameters:
    ///   - length: The time of a look that tries platforms or removes images.
    ///   - short: The time of any other look.
    public func nodesToLookAt(for length: Duration, orOnly short: Duration) async throws -> [FarmNode] {
        let names = try await pool.query(
            """
            UPDATE nodes SET next_look_at = now() + CASE WHEN probe_asked OR prune_asked IS NOT NULL
                THEN \(fragment: interval(length)) ELSE \(fragment: interval(short)) END
            WHERE name IN (
                SELECT name FROM nodes WHERE name <> 'local' AND next_look_at <= now() ORDER BY next_look_at LIMIT 20 FOR UPDATE SKIP LOCKED
            ) RETURNING name
            """
        ).map { try $0.decode(String.self, "name") }
        guard !names.isEmpty else { return [] }
        return try await nodes().filter { names.contains($0.name) }
    }

    /// Records a look at a node.
    ///
    /// - Parameters:
    ///   - node: The node as it was before the look. If a person changed its connection meanwhile, nothing
    ///     is recorded.
    ///   - pause: The time until the next look.
    public func record(_ look: NodeLook, at node: FarmNode, next pause: Duration) async throws {
        let probe = look.probe
        let absent = Dictionary(
            (probe?.absent ?? [:]).map { ($0.key.description, $0.value) }, uniquingKeysWith: { first, _ in first })
        _ = try await pool.query(
            """
            UPDATE nodes SET state = \(look.problem == nil ? "ready" : "lost"), engine = coalesce(\(look.engine), engine),
                problem = CASE WHEN is_enabled THEN \(look.problem) ELSE problem END,
                seen_at = CASE WHEN \(look.problem == nil) THEN now() ELSE seen_at END,
                native = CASE WHEN \(probe == nil) THEN native ELSE \(probe?.native.map(\.description) ?? []) END,
                emulated = CASE WHEN \(probe == nil) THEN emulated ELSE \(probe?.emulated.map(\.description) ?? []) END,
                absent = CASE WHEN \(probe == nil) THEN absent ELSE \(PostgresJSON(absent)) END,
                probed_at = CASE WHEN \(probe == nil) THEN probed_at ELSE now() END,
                probe_asked = CASE WHEN \(probe == nil) THEN probe_asked ELSE false END,
                prune_asked = CASE WHEN \(look.prune == nil) THEN prune_asked END,
                prune_result = coalesce(\(look.prune.map { PostgresJSON($0) }), prune_result),
                next_look_at = CASE WHEN next_look_at > now() THEN now() + \(fragment: interval(pause)) ELSE next_look_at END
            WHERE name = \(node.name) AND connection = \(node.connection.description)
            """)
        if node.state != .ready || probe != nil { try await wakeWorkers() }
    }

    /// Lets another worker look at a node, because this one stops.
    public func giveBackLook(at node: FarmNode) async throws {
        _ = try await pool.query("UPDATE nodes SET next_look_at = now() WHERE name = \(node.name)")
    }

    /// Records that a node was lost while it built. No step goes there until a worker has seen it again.
    public func recordLoss(of node: String, because problem: String) async throws {
        _ = try await pool.query(
            """
            UPDATE nodes SET state = 'lost', problem = CASE WHEN is_enabled THEN \(problem) ELSE problem END, next_look_at = now()
            WHERE name = \(node) AND name <> 'local'
            """)
    }

    /// Disables a node, because it or the registry lies about a digest. A person enables it again.
    public func disableNode(_ node: String, because problem: String) async throws {
        _ = try await pool.query(
            "UPDATE nodes SET is_enabled = false, problem = \(problem) WHERE name = \(node) AND name <> 'local'")
    }

    /// Returns those of the steps that have ended, with the times at which their builds were submitted.
    public func endedSteps(among ids: Set<Int>) async throws -> [Int: Date] {
        let rows = try await pool.query(
            """
            SELECT s.id, b.time_submitted FROM build_steps s JOIN builds b ON b.id = s.build_id
            WHERE s.id = ANY(\(Array(ids))) AND s.state NOT IN (0, 1)
            """)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.decode(Int.self, "id"), try $0.decode(Date.self, "time_submitted")) })
    }

    /// Records which platforms a worker builds with its own node.
    public func record(_ offer: StepOffer, slots: Int, of worker: String) async throws {
        let native = offer.platforms.filter { !offer.emulated.contains($0) }.map(\.description)
        let emulated = offer.emulated.map(\.description)
        _ = try await pool.query(
            """
            UPDATE workers SET native = \(native), emulated = \(emulated), image_slots = \(slots), labels = \(PostgresJSON(offer.labels))
            WHERE name = \(worker) AND (native, emulated, image_slots, labels)
                IS DISTINCT FROM (\(native), \(emulated), \(slots), \(PostgresJSON(offer.labels)))
            """)
    }
}
