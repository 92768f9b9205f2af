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
    /// The tag for the builds of this rebuild.
    public var dateTag: ImageTag
    public var timeSubmitted: Date
    public var canceledBy: String?
    public var rows: [Row]

    public init(
        id: Int, owner: String, compose: Int, reason: RebuildReason, dateTag: ImageTag, timeSubmitted: Date, canceledBy: String? = nil,
        rows: [Row]
    ) {
        self.id = id
        self.owner = owner
        self.compose = compose
        self.reason = reason
        self.dateTag = dateTag
        self.timeSubmitted = timeSubmitted
        self.canceledBy = canceledBy
        self.rows = rows
    }
}
