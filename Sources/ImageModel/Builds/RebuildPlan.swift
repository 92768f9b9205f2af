/// A *rebuild plan* is the list of images that a rebuild considers, with parents before their children,
/// and the decision about each.
public struct RebuildPlan: Hashable, Sendable {
    /// The decision about one image.
    public enum Decision: String, Hashable, Sendable, Codable, CaseIterable {
        /// The image is built again.
        case build
        /// A build of the image that another rebuild asked for has the same composes. It is used.
        case join
        /// A rebuild cannot help, because the older packages come with an image that this service does not
        /// build.
        case cannotHelp = "cannot-help"
        /// The contents of the image are not known.
        case unknown
        /// The request leaves the image out.
        case excluded
    }

    /// The row of one image.
    public struct Row: Hashable, Sendable {
        public var image: Int
        public var decision: Decision
        /// The reason for people. Example: `comes with team/base`.
        public var reason: String
        /// The images of the plan that this one builds on. They come before it.
        public var parents: [Int]
        /// The older packages on each platform.
        public var findings: [PlatformFindings]

        public init(image: Int, decision: Decision, reason: String, parents: [Int] = [], findings: [PlatformFindings] = []) {
            self.image = image
            self.decision = decision
            self.reason = reason
            self.parents = parents
            self.findings = findings
        }
    }

    /// The older packages of an image on one platform.
    public struct PlatformFindings: Hashable, Sendable, Codable {
        public var platform: Platform
        public var findings: [AffectedImages.Finding]

        public init(platform: Platform, findings: [AffectedImages.Finding]) {
            self.platform = platform
            self.findings = findings
        }
    }

    public var rows: [Row]

    public init(rows: [Row]) {
        self.rows = rows
    }
}
