/// The body of a request for a rebuild. Exactly one of `compose` and `builds` is there.
///
/// Example: `{"compose": 12, "advisory": "RHSA-2026:1234", "dry_run": true}`.
public struct RebuildSubmission: Hashable, Sendable, Codable {
    /// The compose with the newer packages.
    public var compose: Int?
    /// Builds of Koji. The service makes a compose of them first. Example: `["openssl-3.0.7-28.el9"]`.
    public var builds: [String]?
    /// The packages of the compose that count. All of them if it is absent.
    public var packages: [String]?
    /// Patterns for the names of images. All images if it is absent. Example: `["team/web-*"]`.
    public var images: [String]?
    /// Patterns for the names of images that are left out.
    public var exclude: [String]?
    /// Whether images whose packages are not known are built too.
    public var unknown: Bool?
    public var advisory: String?
    public var cves: [String]?
    /// Builds with a greater priority begin first. Only an admin can ask for more than 0.
    public var priority: Int?
    /// The tag of the manifest lists. The day in UTC if it is absent. Example: `20261129`.
    public var dateTag: String?
    /// `true` answers with the plan, and stores and builds nothing.
    public var dryRun: Bool?

    public enum CodingKeys: String, CodingKey, CaseIterable {
        case compose, builds, packages, images, exclude, unknown, advisory, cves, priority
        case dateTag = "date_tag"
        case dryRun = "dry_run"
    }

    public init() {}
}

/// A rebuild in the form of the API. A plan that is only shown (`dry_run`) has the same form.
public struct RebuildDocument: Hashable, Sendable, Codable {
    /// A package of an image that is older than that of the compose.
    public struct Finding: Hashable, Sendable, Codable {
        public var platform: String
        public var package: PackageDocument
        /// The newest build that the compose has. Example: `1:3.0.7-28.el9`.
        public var newest: String

        public init(_ finding: AffectedImages.Finding, on platform: Platform) {
            self.platform = platform.description
            package = PackageDocument(finding.installed)
            newest = finding.newest.description
        }
    }

    /// A row of the plan.
    public struct Row: Hashable, Sendable, Codable {
        /// The number of the image.
        public var image: Int
        public var repository: String
        /// `build`, `join`, `cannot-help`, `unknown` or `excluded`.
        public var decision: String
        public var reason: String
        /// 1 for an image that waits for no other one, and 1 more than its parents otherwise. No value for an
        /// image that is not built.
        @OrNull public var order: Int?
        /// The images of the plan that must be built before.
        public var parents: [Int]
        public var findings: [Finding]
        @OrNull public var build: Int?
        @OrNull public var buildState: Int?
        @OrNull public var buildStateName: String?

        enum CodingKeys: String, CodingKey {
            case image, repository, decision, reason, order, parents, findings, build
            case buildState = "build_state"
            case buildStateName = "build_state_name"
        }

        public var isBuilt: Bool { decision == RebuildPlan.Decision.build.rawValue || decision == RebuildPlan.Decision.join.rawValue }

        init(_ row: RebuildPlan.Row, order: Int?, repository: ImageRepository?, build: Int? = nil, state: BuildState? = nil) {
            image = row.image
            self.repository = repository?.description ?? ""
            decision = row.decision.rawValue
            reason = row.reason
            self.order = order
            parents = row.parents
            findings = row.findings.flatMap { platform in platform.findings.map { Finding($0, on: platform.platform) } }
            self.build = build
            buildState = state?.rawValue
            buildStateName = state?.name
        }
    }

    /// No value for a plan that is only shown.
    @OrNull public var id: Int?
    @OrNull public var owner: String?
    public var compose: Int
    @OrNull public var advisory: String?
    public var cves: [String]
    public var images: [String]
    public var exclude: [String]
    public var packages: [String]
    public var unknown: Bool
    /// 0 wait: the compose is not done yet. 1 building. 2 done. 4 failed: a build failed, there is no plan,
    /// or a person canceled the rebuild.
    @OrNull public var state: Int?
    @OrNull public var stateName: String?
    @OrNull public var stateReason: String?
    @OrNull public var dateTag: String?
    @OrNull public var timeSubmitted: String?
    @OrNull public var timePlanned: String?
    @OrNull public var canceledBy: String?
    /// The rule that asked for the rebuild. No value if a person did.
    @OrNull public var rule: Int?
    /// The number of images that this service builds. No value if the plan was stored.
    @OrNull public var knownImages: Int?
    /// The rows, with parents before their children.
    public var plan: [Row]

    enum CodingKeys: String, CodingKey {
        case id, owner, compose, advisory, cves, images, exclude, packages, unknown, state, plan, rule
        case stateName = "state_name"
        case stateReason = "state_reason"
        case dateTag = "date_tag"
        case timeSubmitted = "time_submitted"
        case timePlanned = "time_planned"
        case canceledBy = "canceled_by"
        case knownImages = "known_images"
    }

    /// The document of a rebuild that is stored.
    ///
    /// - Parameter repositories: The names of the images of the plan.
    public init(_ rebuild: Rebuild, repositories: [Int: ImageRepository]) {
        self.init(compose: rebuild.compose, reason: rebuild.reason, selection: rebuild.selection)
        id = rebuild.id
        owner = rebuild.owner
        state = rebuild.state.rawValue
        stateName = rebuild.state.name
        stateReason = rebuild.canceledBy.map { "Canceled by \($0)" } ?? rebuild.problem
        dateTag = rebuild.dateTag.text
        timeSubmitted = rebuild.timeSubmitted.inDocuments
        timePlanned = rebuild.timePlanned?.inDocuments
        canceledBy = rebuild.canceledBy
        rule = rebuild.rule
        let orders = Self.orders(rebuild.rows.map(\.plan))
        plan = rebuild.rows.map { row in
            Row(
                row.plan, order: orders[row.plan.image], repository: repositories[row.plan.image], build: row.build, state: row.state)
        }
    }

    /// The document of a plan that is only shown.
    public init(
        _ plan: RebuildPlan, compose: Int, reason: RebuildReason, selection: RebuildSelection, repositories: [Int: ImageRepository],
        knownImages: Int
    ) {
        self.init(compose: compose, reason: reason, selection: selection)
        self.knownImages = knownImages
        let orders = Self.orders(plan.rows)
        self.plan = plan.rows.map { Row($0, order: orders[$0.image], repository: repositories[$0.image]) }
    }

    private init(compose: Int, reason: RebuildReason, selection: RebuildSelection) {
        self.compose = compose
        advisory = reason.advisory
        cves = reason.cves
        images = selection.images
        exclude = selection.excluding
        packages = selection.packages
        unknown = selection.includesUnknown
        plan = []
    }

    /// The order of each image that is built.
    private static func orders(_ rows: [RebuildPlan.Row]) -> [Int: Int] {
        rows.reduce(into: [:]) { orders, row in
            guard row.decision == .build || row.decision == .join else { return }
            orders[row.image] = 1 + (row.parents.compactMap { orders[$0] }.max() ?? 0)
        }
    }
}
