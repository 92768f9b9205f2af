/// A *farm* is a named set of nodes.
public struct Farm: Hashable, Sendable, Identifiable {
    public let name: String
    /// Whether builds go to this farm if they name no farm and no nodes.
    public var isDefault: Bool
    /// The names of its nodes.
    public var nodes: [String]

    public var id: String { name }

    public init(name: String, isDefault: Bool = false, nodes: [String] = []) {
        self.name = name
        self.isDefault = isDefault
        self.nodes = nodes
    }
}

/// The nodes that may build something.
public enum Placement: Hashable, Sendable, Codable {
    /// Those of a farm.
    case farm(String)
    /// These ones.
    case nodes([String])

    private enum Key: String, CodingKey { case farm, nodes }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let farm = try container.decodeIfPresent(String.self, forKey: .farm) {
            self = .farm(farm)
        } else {
            self = .nodes(try container.decode([String].self, forKey: .nodes))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .farm(let name): try container.encode(name, forKey: .farm)
        case .nodes(let names): try container.encode(names, forKey: .nodes)
        }
    }

    public var farm: String? { if case .farm(let name) = self { name } else { nil } }
    public var nodes: [String]? { if case .nodes(let names) = self { names } else { nil } }
}

/// The node that would build a platform now.
public struct ScheduledPlatform: Hashable, Sendable {
    public var platform: Platform
    /// The node, or nil if none can build the platform now.
    public var node: String?
    public var isNative: Bool
    /// The reason why it is this node, or why no node is chosen, in a sentence.
    public var reason: String

    public init(platform: Platform, node: String?, isNative: Bool, reason: String) {
        self.platform = platform
        self.node = node
        self.isNative = isNative
        self.reason = reason
    }
}
