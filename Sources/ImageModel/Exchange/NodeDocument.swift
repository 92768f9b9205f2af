/// A node in the form of the API.
public struct NodeDocument: Hashable, Sendable, Codable, Identifiable {
    public var name: String
    /// `local`, `unix`, `ssh` or `tls`.
    public var kind: String
    /// The address of the engine. No value for callers who may not manage nodes.
    @OrNull public var connection: String?
    @OrNull public var identity: String?
    public var slots: Int
    /// The number of steps that are being built there.
    public var busy: Int
    public var weight: Int
    public var labels: [String: String]
    /// `push` or `pull`.
    public var deliver: String
    public var enabled: Bool
    /// `new`, `ready` or `lost`.
    public var state: String
    @OrNull public var problem: String?
    public var native: [String]
    public var emulated: [String]
    /// Why other platforms are not built there, by platform.
    public var absent: [String: String]
    @OrNull public var engine: String?
    @OrNull public var timeSeen: String?
    @OrNull public var timeProbed: String?
    /// Whether a worker is asked to try the platforms.
    public var awaitsProbe: Bool
    /// Whether a worker is asked to remove images.
    public var awaitsPrune: Bool
    @OrNull public var pruned: PruneDocument?

    public var id: String { name }

    enum CodingKeys: String, CodingKey {
        case name, kind, connection, identity, slots, busy, weight, labels, deliver, enabled, state, problem, native, emulated, absent
        case engine, pruned
        case timeSeen = "time_seen"
        case timeProbed = "time_probed"
        case awaitsProbe = "awaits_probe"
        case awaitsPrune = "awaits_prune"
    }

    /// - Parameter showsAddress: Whether the caller may see where the node is.
    public init(_ node: FarmNode, showsAddress: Bool) {
        name = node.name
        kind = node.connection.kind
        connection = showsAddress ? node.connection.description : nil
        identity = showsAddress ? node.identity : nil
        slots = node.slots
        busy = node.busy
        weight = node.weight
        labels = node.labels
        deliver = node.delivery.rawValue
        enabled = node.isEnabled
        state = node.state.rawValue
        problem = node.problem
        native = node.native.map(\.description)
        emulated = node.emulated.map(\.description)
        absent = Dictionary(node.absent.map { ($0.key.description, $0.value) }, uniquingKeysWith: { first, _ in first })
        engine = node.engine
        timeSeen = node.timeSeen?.inDocuments
        timeProbed = node.timeProbed?.inDocuments
        awaitsProbe = node.awaitsProbe
        awaitsPrune = node.prune.asked != nil
        pruned = node.prune.result.map(PruneDocument.init)
    }
}

/// The result of a removal in the form of the API.
public struct PruneDocument: Hashable, Sendable, Codable {
    public var removed: Int
    /// The images that are still there.
    public var left: Int
    public var time: String

    init(_ result: PruneResult) {
        removed = result.removed
        left = result.left
        time = result.time.inDocuments
    }
}

/// All nodes.
public struct NodeList: Hashable, Sendable, Codable {
    public var items: [NodeDocument]

    public init(items: [NodeDocument]) { self.items = items }
}

/// The body of a request that adds or changes a node. A member that is absent stays as it is, or has
/// its default.
public struct NodeSubmission: Hashable, Sendable, Codable {
    /// For a new node.
    public var name: String?
    public var connection: String?
    public var identity: String?
    public var slots: Int?
    public var weight: Int?
    public var labels: [String: String]?
    public var deliver: String?
    public var enabled: Bool?

    public init() {}
}
