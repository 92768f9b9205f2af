/// A watch as the HTTP contract writes it. The members of its request have the same names and forms as
/// in a ``ComposeDocument``.
public struct WatchDocument: Hashable, Sendable, Codable {
    /// A compose that the watch has made.
    public struct LatestCompose: Hashable, Sendable, Codable {
        public var id: Int
        /// The URL of the compose's document.
        public var url: String

        public init(id: Int, url: String) {
            self.id = id
            self.url = url
        }
    }

    public var id: Int
    public var owner: String
    public var sourceType: Int
    public var source: String
    public var packages: String?
    public var builds: String?
    public var scratchBuildTasks: String?
    public var sigkeys: String
    public var arches: String
    public var multilibArches: String
    public var multilibMethod: Int
    public var lookasideRepos: String
    public var flags: [String]
    public var results: [String]
    public var label: String?
    public var composeType: String?
    public var targetDir: String
    /// `link` or `reference`.
    public var delivery: String?
    /// `fail` or `wait`.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    /// The time to live of each compose in seconds, counted from its end.
    public var secondsToLive: Int
    public var timeCreated: String
    public var timeEnded: String?
    /// The event of Koji's history up to which changes of the tag are known, or `nil` before the first
    /// look.
    public var kojiEvent: Int?
    public var latestCompose: LatestCompose?
    /// The time when Koji was last asked about the watch.
    public var timeLooked: String?
    /// The reason why the last look failed, or `nil` if it succeeded.
    public var problem: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, owner, source, packages, builds, sigkeys, arches, flags, results, label, problem, delivery
        case onUnsigned = "on_unsigned"
        case unsignedWaitSeconds = "unsigned_wait_seconds"
        case sourceType = "source_type"
        case scratchBuildTasks = "scratch_build_tasks"
        case multilibArches = "multilib_arches"
        case multilibMethod = "multilib_method"
        case lookasideRepos = "lookaside_repos"
        case composeType = "compose_type"
        case targetDir = "target_dir"
        case secondsToLive = "seconds_to_live"
        case timeCreated = "time_created"
        case timeEnded = "time_ended"
        case kojiEvent = "koji_event"
        case latestCompose = "latest_compose"
        case timeLooked = "time_looked"
    }

    /// Creates the document of a watch.
    ///
    /// - Parameter composeURL: Returns the URL of the document of the compose with that id.
    public init(_ watch: ComposeWatch, composeURL: (Int) -> String) {
        let request = watch.request
        func words(_ list: [String]) -> String { list.joined(separator: " ") }
        func wordsOrNil(_ list: [String]) -> String? { list.isEmpty ? nil : words(list) }
        id = watch.id
        owner = watch.owner
        sourceType = request.sourceType.rawValue
        source = words(request.source)
        packages = wordsOrNil(request.packages)
        builds = wordsOrNil(request.builds)
        scratchBuildTasks = wordsOrNil(request.scratchBuildTasks)
        sigkeys = words(request.sigkeys)
        arches = words(request.arches)
        multilibArches = words(request.multilibArches)
        multilibMethod = request.multilibMethods.rawValue
        lookasideRepos = words(request.lookasideRepos)
        flags = request.flags.names
        results = request.results.names
        label = request.label
        composeType = request.composeType
        targetDir = request.targetDir
        delivery = request.delivery.rawValue
        onUnsigned = request.unsignedWaitSeconds == nil ? "fail" : "wait"
        unsignedWaitSeconds = request.unsignedWaitSeconds
        secondsToLive = request.secondsToLive
        timeCreated = ComposeDocument.format(watch.createdAt)
        timeEnded = watch.endedAt.map(ComposeDocument.format)
        kojiEvent = watch.kojiEvent
        latestCompose = watch.latestCompose.map { LatestCompose(id: $0, url: composeURL($0)) }
        timeLooked = watch.lookedAt.map(ComposeDocument.format)
        problem = watch.problem
    }

    /// Encodes every member. A member without a value is `null`, as in a ``ComposeDocument``.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(owner, forKey: .owner)
        try container.encode(sourceType, forKey: .sourceType)
        try container.encode(source, forKey: .source)
        try container.encode(packages, forKey: .packages)
        try container.encode(builds, forKey: .builds)
        try container.encode(scratchBuildTasks, forKey: .scratchBuildTasks)
        try container.encode(sigkeys, forKey: .sigkeys)
        try container.encode(arches, forKey: .arches)
        try container.encode(multilibArches, forKey: .multilibArches)
        try container.encode(multilibMethod, forKey: .multilibMethod)
        try container.encode(lookasideRepos, forKey: .lookasideRepos)
        try container.encode(flags, forKey: .flags)
        try container.encode(results, forKey: .results)
        try container.encode(label, forKey: .label)
        try container.encode(composeType, forKey: .composeType)
        try container.encode(targetDir, forKey: .targetDir)
        try container.encode(delivery, forKey: .delivery)
        try container.encode(onUnsigned, forKey: .onUnsigned)
        try container.encode(unsignedWaitSeconds, forKey: .unsignedWaitSeconds)
        try container.encode(secondsToLive, forKey: .secondsToLive)
        try container.encode(timeCreated, forKey: .timeCreated)
        try container.encode(timeEnded, forKey: .timeEnded)
        try container.encode(kojiEvent, forKey: .kojiEvent)
        try container.encode(latestCompose, forKey: .latestCompose)
        try container.encode(timeLooked, forKey: .timeLooked)
        try container.encode(problem, forKey: .problem)
    }
}
