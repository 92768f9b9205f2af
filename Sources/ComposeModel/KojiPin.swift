/// What a Koji had of a request's tag or builds at one moment: whoever has it can ask for the same packages again.
public struct KojiPin: Hashable, Sendable, Codable {
    /// A tag as of an event of the hub's history.
    public struct Tag: Hashable, Sendable, Codable {
        public var name: String
        public var event: Int
        /// Whether builds of its parents count.
        public var inherits: Bool

        public init(name: String, event: Int, inherits: Bool) {
            self.name = name
            self.event = event
            self.inherits = inherits
        }
    }

    public var tag: Tag?
    /// Name, version and release of builds that count whatever the tag says, sorted.
    public var builds: [String]
    /// The numbers of scratch builds' tasks.
    public var scratchTasks: [Int]

    public init(tag: Tag? = nil, builds: [String] = [], scratchTasks: [Int] = []) {
        self.tag = tag
        self.builds = builds
        self.scratchTasks = scratchTasks
    }
}
