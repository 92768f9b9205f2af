import ForeignText
public import ImageModel
import Postgres

/// An error: a name of a node or farm is not known.
public struct NoSuchFarm: Error, Hashable, Sendable, CustomStringConvertible {
    /// `node` or `farm`.
    public let thing: String
    public let name: String
    /// The names that there are, the most similar one first.
    public let known: [String]

    init(_ thing: String, _ name: String, known: [String]) {
        self.thing = thing
        self.name = name
        self.known = NearestNames(names: known).sorted(by: name)
    }

    public var description: String {
        let names = known.prefix(5).joined(separator: ", ")
        return "There is no \(thing) \(name.quoted). " + (known.isEmpty ? "There is none at all yet." : "There is \(names).")
    }
}

extension ComposeStore {
    /// Returns all nodes by their names. `local` comes first.
    public func nodes() async throws -> [FarmNode] {
        try await pool.query(
            "SELECT \(fragment: FarmNode.columns) FROM \(fragment: FarmNode.rows) ORDER BY n.name <> 'local', n.name"
        ).map(FarmNode.init)
    }

    /// Throws ``NoSuchFarm`` if there is no such node.
    public func node(_ name: String) async throws -> FarmNode {
        let row = try await pool.query("SELECT \(fragment: FarmNode.columns) FROM \(fragment: FarmNode.rows) WHERE n.name = \(name)").first
        guard let row else { throw NoSuchFarm("node", name, known: try await nodes().map(\.name)) }
        return try FarmNode(row)
    }

    /// Adds a node. A worker looks at it soon.
    ///
    /// - Returns: `false` if there is a node of that name.
    public func addNode(_ node: FarmNode) async throws -> Bool {
        try await pool.query(
            """
            INSERT INTO nodes (name, connection, identity, slots, weight, labels, delivery, is_enabled)
            VALUES (\(node.name), \(node.connection.description), \(node.identity), \(node.slots), \(node.weight),
                \(PostgresJSON(node.labels)), \(node.delivery.rawValue), \(node.isEnabled))
            ON CONFLICT (name) DO NOTHING
            """
        ).affectedRows == 1
    }

    /// Stores the settings of a node. If it has another connection, its platforms are tried again. A node
    /// that is enabled again has no problem any more.
    ///
    /// - Throws: ``NoSuchFarm``.
    public func changeNode(_ node: FarmNode) async throws -> FarmNode {
        let connection = node.connection.description
        _ = try await pool.query(
            """
            UPDATE nodes SET connection = \(connection), identity = \(node.identity), weight = \(node.weight),
                slots = CASE WHEN name = 'local' THEN slots ELSE \(node.slots) END,
                labels = \(PostgresJSON(node.labels)), delivery = \(node.delivery.rawValue),
                problem = CASE WHEN \(node.isEnabled) AND NOT is_enabled THEN NULL ELSE problem END, is_enabled = \(node.isEnabled),
                state = CASE WHEN connection = \(connection) THEN state ELSE 'new' END,
                probe_asked = probe_asked OR connection <> \(connection), next_look_at = now()
            WHERE name = \(node.name)
            """)
        try await wakeWorkers()
        return try await self.node(node.name)
    }

    /// Removes a node from all farms. Steps that it builds go on.
    ///
    /// - Returns: `false` if there is no such node.
    public func removeNode(_ name: String) async throws -> Bool {
        try await pool.query("DELETE FROM nodes WHERE name = \(name) AND name <> 'local'").affectedRows == 1
    }

    /// A node that was lost counts as new until it was looked at, so that a caller sees the result of the
    /// look and not the state before.
    private static let looksAgain: SQL = """
        next_look_at = now(), state = CASE WHEN state = 'lost' THEN 'new' ELSE state END
        """

    /// Asks a worker to try the platforms of a node.
    public func askProbe(of name: String) async throws -> FarmNode {
        _ = try await pool.query(
            "UPDATE nodes SET probe_asked = true, \(fragment: Self.looksAgain) WHERE name = \(name) AND name <> 'local'")
        try await wakeWorkers()
        return try await node(name)
    }

    /// Asks a worker to remove images from a node.
    public func askPrune(of name: String, _ request: PruneRequest) async throws -> FarmNode {
        _ = try await pool.query(
            """
            UPDATE nodes SET prune_asked = \(PostgresJSON(request)), \(fragment: Self.looksAgain)
            WHERE name = \(name) AND name <> 'local'
            """)
        try await wakeWorkers()
        return try await node(name)
    }

    /// Wakes the workers that wait for steps or look at nodes.
    func wakeWorkers() async throws {
        _ = try await pool.query("SELECT pg_notify(current_schema(), 'step 0 0')")
    }
}
