/// What a Koji had of a request's tag or builds at one moment: whoever has it can ask for the same packages again.
public struct KojiPin: Hashable, Sendable, Codable {
    /// A tag as of an event of the hub's history.
    public struct Tag: Hashable, Sendable, Codable {
        public var name: String
        /// Koji's number of the tag: another one can have the name by now.
        public var id: Int?
        public var event: Int
        /// An event before which nothing can come to light any more: Koji numbers an event when a change begins and shows it when the change is
        /// complete, so that an event may be visible while one of a smaller number is not yet. `nil` for an event of the caller's.
        public var settledEvent: Int?
        /// Whether builds of its parents count.
        public var inherits: Bool

        public init(name: String, id: Int?, event: Int, settledEvent: Int? = nil, inherits: Bool) {
            self.name = name
            self.id = id
            self.event = event
            self.settledEvent = settledEvent
            self.inherits = inherits
        }
    }

    /// A build of a module.
    public struct Module: Hashable, Sendable, Codable {
        /// Name, stream, version and context, with colons between them.
        public var id: String
        /// The tag that has its packages, and those alone.
        public var tag: String
        /// The build in Koji that has its documents, as name, version and release; `nil` for a scratch build, which has none.
        public var build: String?
        /// The number of the scratch build in the Module Build Service, which has its documents; `nil` for any other.
        public var scratchID: Int?

        public init(id: String, tag: String, build: String? = nil, scratchID: Int? = nil) {
            self.id = id
            self.tag = tag
            self.build = build
            self.scratchID = scratchID
        }
    }

    public var tag: Tag?
    /// Name, version and release of builds that count whatever the tag says, sorted.
    public var builds: [String]
    /// The numbers of scratch builds' tasks.
    public var scratchTasks: [Int]
    /// Builds of modules, by their ids; `nil`: none.
    public var modules: [Module]?
    /// The event of the hub's history as of which the tags of ``modules`` are read.
    public var modulesEvent: Int?

    public init(
        tag: Tag? = nil, builds: [String] = [], scratchTasks: [Int] = [], modules: [Module]? = nil, modulesEvent: Int? = nil
    ) {
        self.tag = tag
        self.builds = builds
        self.scratchTasks = scratchTasks
        self.modules = modules
        self.modulesEvent = modulesEvent
    }
}
