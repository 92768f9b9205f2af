public import Foundation

/// A *rebuild reason* is the cause of a rebuild, for people and for the provenance of the images.
public struct RebuildReason: Hashable, Sendable, Codable {
    /// Example: `RHSA-2026:1234`.
    public var advisory: String?
    public var cves: [String] = []

    public init(advisory: String? = nil, cves: [String] = []) {
        self.advisory = advisory
        self.cves = cves
    }
}

/// A *rebuild* is a plan that is being carried out: the builds that bring the packages of a compose
/// into every image with older ones.
public struct Rebuild: Hashable, Sendable, Identifiable {
    /// A row of the plan, with the build that was made or joined.
    public struct Row: Hashable, Sendable {
        public let plan: RebuildPlan.Row
        /// Nil if nothing is built for the image.
        public let build: Int?
        public let state: BuildState?

        public init(plan: RebuildPlan.Row, build: Int?, state: BuildState?) {
            self.plan = plan
            self.build = build
            self.state = state
        }
    }

    public let id: Int
    public var owner: String
    public var compose: Int
    public var reason: RebuildReason
    public var selection: RebuildSelection
    /// The priority of the builds.
    public var priority: Int
    /// The tag for the builds of this rebuild.
    public var dateTag: ImageTag
    public var timeSubmitted: Date
    /// When the plan was made. Nil if the rebuild waits for its compose, or if there is no plan.
    public var timePlanned: Date?
    /// The reason why there is no plan.
    public var problem: String?
    public var canceledBy: String?
    /// The rule that asked for the rebuild. Nil if a person did.
    public var rule: Int?
    public var rows: [Row]

    public init(
        id: Int, owner: String, compose: Int, reason: RebuildReason, selection: RebuildSelection = RebuildSelection(), priority: Int = 0,
        dateTag: ImageTag, timeSubmitted: Date, timePlanned: Date? = nil, problem: String? = nil, canceledBy: String? = nil,
        rule: Int? = nil, rows: [Row]
    ) {
        self.id = id
        self.owner = owner
        self.compose = compose
        self.reason = reason
        self.selection = selection
        self.priority = priority
        self.dateTag = dateTag
        self.timeSubmitted = timeSubmitted
        self.timePlanned = timePlanned
        self.problem = problem
        self.canceledBy = canceledBy
        self.rule = rule
        self.rows = rows
    }

    /// The state of all builds together. A rebuild waits as long as it has no plan, and is done if all its
    /// builds are done.
    public var state: BuildState {
        if canceledBy != nil || problem != nil { return .failed }
        guard timePlanned != nil else { return .wait }
        let states = Set(rows.compactMap(\.state))
        if states.contains(where: { !$0.isFinal }) { return .building }
        return states.contains(.failed) ? .failed : .done
    }
}
