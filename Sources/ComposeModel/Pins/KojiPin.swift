/// The state of a request's tag or builds in Koji at one moment. With it the same packages can be
/// listed again.
public struct KojiPin: Hashable, Sendable, Codable {
    /// A tag as of an event of the hub's history.
    public struct Tag: Hashable, Sendable, Codable {
        public var name: String
        /// The tag's number in Koji. The name may belong to another tag by now.
        public var id: Int?
        public var event: Int
        /// An event before which no further change can appear. `nil` if the request named the event, or if
        /// Koji's history is too short to have such an event.
        ///
        /// Koji numbers an event when a change begins, and shows it when the change is complete. An event can
        /// therefore be visible while an event with a smaller number is not visible yet.
        public var settledEvent: Int?
        /// Whether builds in parents of the tag count.
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
        /// The name, stream, version and context, separated by colons. Example:
        /// `testmodule:master:20180405123256:c2c572ec`.
        public var id: String
        /// The tag that contains exactly the module's packages. Example:
        /// `module-testmodule-master-20180405123256-c2c572ec`.
        public var tag: String
        /// The Koji build that has the module's documents, as name, version and release. `nil` for a scratch
        /// build, which has no build in Koji. Example: `b-1_x-1.x`.
        public var build: String?
        /// The number of the scratch build in the Module Build Service, which has the documents. `nil` for any
        /// other build.
        public var scratchID: Int?

        public init(id: String, tag: String, build: String? = nil, scratchID: Int? = nil) {
            self.id = id
            self.tag = tag
            self.build = build
            self.scratchID = scratchID
        }
    }

    public var tag: Tag?
    /// Builds that count independently of the tag's content, as name, version and release, sorted.
    public var builds: [String]
    /// The task numbers of scratch builds.
    public var scratchTasks: [Int]
    /// Builds of modules, ordered by their ids. `nil` if there are no such builds.
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
