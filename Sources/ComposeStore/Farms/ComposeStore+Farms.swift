public import ImageModel
import Postgres

extension ComposeStore {
    private static let farmColumns: SQL = """
        f.name, f.is_default, array(SELECT n.node FROM farm_nodes n WHERE n.farm = f.name ORDER BY n.node <> 'local', n.node) AS nodes
        """

    /// Returns all farms by their names.
    public func farms() async throws -> [Farm] {
        try await pool.query("SELECT \(fragment: Self.farmColumns) FROM farms f ORDER BY f.name").map(Farm.init)
    }

    /// Throws ``NoSuchFarm`` if there is no such farm.
    public func farm(_ name: String) async throws -> Farm {
        let row = try await pool.query("SELECT \(fragment: Self.farmColumns) FROM farms f WHERE f.name = \(name)").first
        guard let row else { throw NoSuchFarm("farm", name, known: try await farms().map(\.name)) }
        return try Farm(row)
    }

    /// Creates a farm.
    ///
    /// - Returns: `false` if there is a farm of that name.
    /// - Throws: ``NoSuchFarm`` if one of its nodes does not exist.
    public func createFarm(_ farm: Farm) async throws -> Bool {
        try await pool.withTransaction { connection in
            let created = try await connection.query("INSERT INTO farms (name) VALUES (\(farm.name)) ON CONFLICT (name) DO NOTHING")
            guard created.affectedRows == 1 else { return false }
            try await add(farm.nodes, to: farm.name, on: connection)
            if farm.isDefault { try await makeDefault(farm.name, on: connection) }
            return true
        }
    }

    /// Adds nodes to a farm and takes nodes from it.
    ///
    /// - Parameter isDefault: Whether it becomes the default farm, or ceases to be it. `nil` changes
    ///   nothing.
    /// - Throws: ``NoSuchFarm``.
    public func changeFarm(_ name: String, adding: [String] = [], removing: [String] = [], isDefault: Bool? = nil) async throws -> Farm {
        _ = try await farm(name)
        try await pool.withTransaction { connection in
            try await checkNodes(removing, on: connection)
            _ = try await connection.query("DELETE FROM farm_nodes WHERE farm = \(name) AND node = ANY(\(removing))")
            try await add(adding, to: name, on: connection)
            switch isDefault {
            case true?: try await makeDefault(name, on: connection)
            case false?: _ = try await connection.query("UPDATE farms SET is_default = false WHERE name = \(name)")
            case nil: break
            }
        }
        try await wakeWorkers()
        return try await farm(name)
    }

    /// Removes a farm. Its nodes stay.
    ///
    /// - Returns: `false` if there is no such farm.
    public func removeFarm(_ name: String) async throws -> Bool {
        try await pool.query("DELETE FROM farms WHERE name = \(name)").affectedRows == 1
    }

    /// Throws ``NoSuchFarm`` if the farm or one of the nodes does not exist.
    public func check(_ placement: Placement) async throws {
        switch placement {
        case .farm(let name): _ = try await farm(name)
        case .nodes(let names): for name in names { _ = try await node(name) }
        }
    }

    private func add(_ nodes: [String], to farm: String, on connection: PostgresConnection) async throws {
        try await checkNodes(nodes, on: connection)
        _ = try await connection.query(
            "INSERT INTO farm_nodes (farm, node) SELECT DISTINCT \(farm), n FROM unnest(\(nodes)) AS n ON CONFLICT DO NOTHING")
    }

    private func checkNodes(_ names: [String], on connection: PostgresConnection) async throws {
        guard !names.isEmpty else { return }
        let known = try await connection.query("SELECT name FROM nodes ORDER BY name").map { try $0.decode(String.self, "name") }
        if let wrong = names.first(where: { !known.contains($0) }) { throw NoSuchFarm("node", wrong, known: known) }
    }

    private func makeDefault(_ farm: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query("UPDATE farms SET is_default = false WHERE is_default AND name <> \(farm)")
        _ = try await connection.query("UPDATE farms SET is_default = true WHERE name = \(farm)")
    }
}

extension Farm {
    init(_ row: PostgresRow) throws {
        self.init(
            name: try row.decode(String.self, "name"), isDefault: try row.decode(Bool.self, "is_default"),
            nodes: try row.decode([String].self, "nodes"))
    }
}
