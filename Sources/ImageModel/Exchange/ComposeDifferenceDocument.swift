/// The difference between the packages of two composes, in the form of the API.
public struct ComposeDifferenceDocument: Hashable, Sendable, Codable {
    /// An input that differs between the composes.
    public struct Pin: Hashable, Sendable, Codable {
        /// The repository, tag or other input. Example: `tag f26`.
        public var input: String
        /// Its state in the first compose: the checksum of a repomd.xml, or an event of Koji. No value if only
        /// the second compose has the input.
        @OrNull public var from: String?
        @OrNull public var to: String?

        public init(input: String, from: String?, to: String?) {
            self.input = input
            self.from = from
            self.to = to
        }
    }

    /// A package that differs.
    public struct Change: Hashable, Sendable, Codable {
        public var name: String
        public var arch: String
        @OrNull public var module: String?
        /// The builds in the first compose, as epoch, version and release, the newest last.
        public var before: [String]
        public var after: [String]
        /// The cause of the change, in words. Example: `the tag f26 changed`.
        public var cause: String

        public init(_ line: PackageLine, before: [EVR], after: [EVR], cause: String) {
            name = line.name
            arch = line.arch
            module = line.module
            self.before = before.map(\.description)
            self.after = after.map(\.description)
            self.cause = cause
        }
    }

    /// The changes in one tree of the composes.
    public struct Tree: Hashable, Sendable, Codable {
        /// A base architecture, or `source`.
        public var tree: String
        public var added: [Change] = []
        public var removed: [Change] = []
        public var upgraded: [Change] = []
        public var downgraded: [Change] = []
        /// Packages of the same version whose files differ, for example by their signature.
        public var other: [Change] = []

        enum CodingKeys: String, CodingKey {
            case tree, added, removed, upgraded, downgraded
            case other = "other_file"
        }

        public init(_ tree: String) { self.tree = tree }

        public var isEmpty: Bool { added.isEmpty && removed.isEmpty && upgraded.isEmpty && downgraded.isEmpty && other.isEmpty }
    }

    public var from: Int
    public var to: Int
    /// The inputs that differ.
    public var pins: [Pin]
    /// Whether the requests differ.
    public var isOtherRequest: Bool
    /// The trees with changes.
    public var trees: [Tree]

    enum CodingKeys: String, CodingKey {
        case from, to, pins, trees
        case isOtherRequest = "other_request"
    }

    public init(from: Int, to: Int, pins: [Pin], isOtherRequest: Bool, trees: [Tree]) {
        self.from = from
        self.to = to
        self.pins = pins
        self.isOtherRequest = isOtherRequest
        self.trees = trees
    }
}
