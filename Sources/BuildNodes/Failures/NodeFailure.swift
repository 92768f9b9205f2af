/// A *node failure* says why an image could not be built or pushed, in a sentence for a person.
public struct NodeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The cause, bounded so that it can be counted.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// An instruction of the Containerfile failed.
        case instruction
        /// The Containerfile cannot be read.
        case containerfile
        /// An image of a FROM is not in its registry.
        case baseGone = "base-gone"
        /// A registry does not answer, or answers with a passing error.
        case registryDown = "registry-down"
        /// A registry refuses access.
        case registryRefuses = "registry-refuses"
        case diskFull = "disk-full"
        /// dnf found no package or no repository in a build without network.
        case packagesNotFound = "packages-not-found"
        case timeLimit = "time-limit"
        case logLimit = "log-limit"
        case memoryLimit = "memory-limit"
        /// The node has less memory than the image needs.
        case memoryMissing = "memory-missing"
        /// Programs of the platform do not run on the node.
        case noEmulator = "no-emulator"
        /// The storage of the node has lost an image of the build.
        case imageLost = "image-lost"
        /// The node does not answer any more.
        case nodeLost = "node-lost"
        /// The node cannot build at all.
        case node
    }

    /// Whether another attempt may succeed.
    public enum Retry: Hashable, Sendable {
        case never
        /// Once more, because the cause may have been a moment's.
        case once
        case later
    }

    public let kind: Kind
    /// A sentence for a person: the cause and the remedy.
    public let sentence: String
    /// The step of the Containerfile that failed, or nil if none had begun.
    public let step: ContainerfileStep?
    /// The status of the program that failed. Nil if the cause is no status.
    public let status: CInt?
    /// The last lines of the log.
    public let lastLines: [String]

    public init(_ kind: Kind, _ sentence: String, step: ContainerfileStep? = nil, status: CInt? = nil, lastLines: [String] = []) {
        self.kind = kind
        self.sentence = sentence
        self.step = step
        self.status = status
        self.lastLines = lastLines
    }

    public var retry: Retry {
        switch kind {
        case .registryDown, .diskFull, .memoryMissing, .imageLost, .nodeLost: .later
        case .baseGone: .once
        default: .never
        }
    }

    public var isTransient: Bool { retry != .never }

    /// Whether the node is to blame, so that another node may succeed. A registry that does not answer is
    /// usually away for all nodes.
    public var isOfNode: Bool {
        switch kind {
        case .nodeLost, .node, .diskFull, .memoryMissing, .imageLost, .noEmulator: true
        default: false
        }
    }

    public var description: String { sentence }
}
