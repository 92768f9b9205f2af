/// A farm in the form of the API, with its nodes.
public struct FarmDocument: Hashable, Sendable, Codable, Identifiable {
    public var name: String
    public var isDefault: Bool
    public var nodes: [NodeDocument]

    public var id: String { name }

    enum CodingKeys: String, CodingKey {
        case name, nodes
        case isDefault = "default"
    }

    public init(_ farm: Farm, nodes: [NodeDocument]) {
        name = farm.name
        isDefault = farm.isDefault
        self.nodes = nodes
    }
}

/// All farms.
public struct FarmList: Hashable, Sendable, Codable {
    public var items: [FarmDocument]

    public init(items: [FarmDocument]) { self.items = items }
}

/// The body of a request that creates or changes a farm.
public struct FarmSubmission: Hashable, Sendable, Codable {
    /// For a new farm.
    public var name: String?
    /// The nodes of a new farm.
    public var nodes: [String]?
    /// The nodes to add to a farm.
    public var add: [String]?
    /// The nodes to take from a farm.
    public var remove: [String]?
    public var isDefault: Bool?

    enum CodingKeys: String, CodingKey {
        case name, nodes, add, remove
        case isDefault = "default"
    }

    public init() {}
}

/// The nodes that would build platforms now.
public struct ScheduleDocument: Hashable, Sendable, Codable {
    public struct Row: Hashable, Sendable, Codable {
        public var platform: String
        /// No value if no node can build the platform now.
        @OrNull public var node: String?
        public var native: Bool
        public var reason: String

        init(_ row: ScheduledPlatform) {
            platform = row.platform.description
            node = row.node
            native = row.isNative
            reason = row.reason
        }
    }

    public var items: [Row]

    public init(_ rows: [ScheduledPlatform]) { items = rows.map(Row.init) }
}
