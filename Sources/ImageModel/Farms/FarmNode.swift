import ForeignText
public import Foundation

/// A *farm node* is a place where images are built: an engine that speaks the Docker Engine API. The
/// node `local` stands for the nodes of the workers themselves.
public struct FarmNode: Hashable, Sendable, Identifiable {
    /// The name of the node that stands for the workers' own.
    public static let localName = "local"
    /// The beginning of ``engine`` of a node with podman.
    public static let podman = "podman "

    /// The result of the last look at a node.
    public enum State: String, Hashable, Sendable, Codable, CaseIterable {
        /// No worker has looked at the node yet.
        case new
        case ready
        /// The node does not answer.
        case lost
    }

    /// The way in which an image comes from the node to the registry.
    public enum Delivery: String, Hashable, Sendable, Codable, CaseIterable {
        /// The node pushes it.
        case push
        /// The worker fetches it from the node, and pushes it.
        case pull
    }

    public let name: String
    public var connection: NodeConnection
    /// The name of the key or certificate with which workers log in. Workers have the file. Nil: the
    /// account of the worker has its own.
    public var identity: String?
    /// The number of platforms that the node builds at the same time.
    public var slots: Int
    /// Of nodes that can do a step, the one with the greatest weight gets it.
    public var weight: Int
    public var labels: [String: String]
    public var delivery: Delivery
    /// Whether steps go to the node.
    public var isEnabled: Bool
    public var state: State
    /// Why the node is lost or disabled, in a sentence.
    public var problem: String?
    /// The platforms whose programs the node itself runs.
    public var native: [Platform]
    /// The platforms whose programs an emulator runs there.
    public var emulated: [Platform]
    /// Why other platforms are not built there.
    public var absent: [Platform: String]
    /// The program and version of the engine. Example: `podman 4.3.1`.
    public var engine: String?
    public var timeSeen: Date?
    /// When a program of each platform was last tried.
    public var timeProbed: Date?
    /// Whether a worker is asked to try the platforms.
    public var awaitsProbe: Bool
    public var prune: NodePrune
    /// The number of steps that are being built there.
    public var busy: Int

    public var id: String { name }

    /// Whether builds there can see the packages of composes. Docker cannot show them.
    public var showsComposes: Bool { name == Self.localName || engine?.hasPrefix(Self.podman) ?? false }

    public init(name: String, connection: NodeConnection) {
        self.name = name
        self.connection = connection
        slots = 1
        weight = 10
        labels = [:]
        delivery = .push
        isEnabled = true
        state = .new
        native = []
        emulated = []
        absent = [:]
        awaitsProbe = true
        prune = NodePrune()
        busy = 0
    }

    /// Throws ``ImageProblem`` unless the text can be the name of a node or farm.
    public static func check(name: String, of thing: String) throws(ImageProblem) {
        guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_.-]{0,62}/) != nil else {
            throw ImageProblem(
                .badNode,
                "\(name.quoted) cannot be the name of a \(thing). It must have at most 63 letters, digits, _, . and -, and begin with a letter or digit."
            )
        }
    }
}

/// The removal of images from a node: what is asked for, and the last result.
public struct NodePrune: Hashable, Sendable {
    /// The images to remove, or nil if nothing is asked for.
    public var asked: PruneRequest?
    public var result: PruneResult?

    public init(asked: PruneRequest? = nil, result: PruneResult? = nil) {
        self.asked = asked
        self.result = result
    }
}

/// The images of a node that are removed. Images of steps that are being built always stay.
public struct PruneRequest: Hashable, Sendable, Codable {
    /// Whether all images without a container are removed. Otherwise only those of old steps and those
    /// without a name.
    public var all: Bool
    /// Only images that are at least this old, in seconds.
    public var olderThanSeconds: Int?

    enum CodingKeys: String, CodingKey {
        case all
        case olderThanSeconds = "older_than_seconds"
    }

    public init(all: Bool = false, olderThanSeconds: Int? = nil) {
        self.all = all
        self.olderThanSeconds = olderThanSeconds
    }
}

/// The result of a removal.
public struct PruneResult: Hashable, Sendable, Codable {
    public var removed: Int
    /// The images that are still there.
    public var left: Int
    public var time: Date

    public init(removed: Int, left: Int, time: Date) {
        self.removed = removed
        self.left = left
        self.time = time
    }
}
