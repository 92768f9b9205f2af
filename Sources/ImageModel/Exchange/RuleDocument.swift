/// The body of a request for a rule. Exactly one of `watch` and `base` is there.
///
/// Example: `{"watch": 3, "images": ["team/*"]}`.
public struct RuleSubmission: Hashable, Sendable, Codable {
    /// The watch that the images follow.
    public var watch: Int?
    /// `true` lets the images follow the images that they build on.
    public var base: Bool?
    /// Patterns for the names of images.
    public var images: [String]

    public enum CodingKeys: String, CodingKey, CaseIterable { case watch, base, images }

    public init(watch: Int? = nil, base: Bool? = nil, images: [String]) {
        self.watch = watch
        self.base = base
        self.images = images
    }
}

/// A rule in the form of the API.
public struct RuleDocument: Hashable, Sendable, Codable {
    public var id: Int
    public var owner: String
    /// No value if the images follow the images that they build on.
    @OrNull public var watch: Int?
    public var images: [String]
    public var timeAdded: String
    @OrNull public var timeEnded: String?
    @OrNull public var timeLooked: String?
    @OrNull public var problem: String?
    /// The newest builds that the rule has asked for, the newest first.
    public var builds: [Int]

    enum CodingKeys: String, CodingKey {
        case id, owner, watch, images, problem, builds
        case timeAdded = "time_added"
        case timeEnded = "time_ended"
        case timeLooked = "time_looked"
    }

    public init(_ rule: Rule) {
        id = rule.id
        owner = rule.owner
        images = rule.images
        timeAdded = rule.timeAdded.inDocuments
        builds = rule.builds
        watch = rule.watch
        timeEnded = rule.timeEnded?.inDocuments
        timeLooked = rule.timeLooked?.inDocuments
        problem = rule.problem
    }
}
