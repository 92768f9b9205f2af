public import Foundation

/// A *rule* is a standing request: the images that match it are built again when a watch, or the images
/// that they build on, have newer packages.
public struct Rule: Hashable, Sendable, Identifiable {
    public let id: Int
    public var owner: String
    /// The watch whose composes have the newer packages. Nil if the images follow the images that they
    /// build on.
    public var watch: Int?
    /// Patterns for the names of images, in order. Example: `team/*`.
    public var images: [String]
    public var timeAdded: Date
    /// When a person ended the rule, or its watch.
    public var timeEnded: Date?
    /// When a worker compared the packages last.
    public var timeLooked: Date?
    /// The images that are given up, or the reason why the last look could decide nothing.
    public var problem: String?
    /// The newest builds that the rule has asked for, the newest first.
    public var builds: [Int]

    public init(
        id: Int, owner: String, watch: Int?, images: [String], timeAdded: Date, timeEnded: Date? = nil, timeLooked: Date? = nil,
        problem: String? = nil, builds: [Int] = []
    ) {
        self.id = id
        self.owner = owner
        self.watch = watch
        self.images = images
        self.timeAdded = timeAdded
        self.timeEnded = timeEnded
        self.timeLooked = timeLooked
        self.problem = problem
        self.builds = builds
    }
}

/// A *rule cause* is the place of the newer packages because of which a rule asks for a build.
public enum RuleCause: Hashable, Sendable, CustomStringConvertible {
    case compose(Int)
    /// The manifests of images that an image builds on.
    case bases(Set<ImageDigest>)

    /// The cause as it is stored. Example: `compose 12`.
    public var description: String {
        switch self {
        case .compose(let id): "compose \(id)"
        case .bases(let digests): "base \(digests.sorted().map(\.description).joined(separator: " "))"
        }
    }
}

/// The *rule tries* are the builds of one image that rules have asked for because of one cause.
public struct RuleTries: Hashable, Sendable {
    /// How often and after which pauses an image is tried.
    public struct Bounds: Hashable, Sendable {
        public var most: Int
        /// The time after the first try. Each later pause is twice as long.
        public var firstPause: Duration

        public init(most: Int = 3, firstPause: Duration = .seconds(900)) {
            self.most = most
            self.firstPause = firstPause
        }
    }

    /// Whether a build waits or is being built.
    public var isUnderWay: Bool
    /// The number of builds that have ended. Those that failed because of a parent do not count.
    public var ended: Int
    /// Whether a person canceled one.
    public var isCanceled: Bool
    /// The time since the last one ended.
    public var sinceLast: Duration?

    public init(isUnderWay: Bool = false, ended: Int = 0, isCanceled: Bool = false, sinceLast: Duration? = nil) {
        self.isUnderWay = isUnderWay
        self.ended = ended
        self.isCanceled = isCanceled
        self.sinceLast = sinceLast
    }

    /// Counts a build.
    ///
    /// - Parameter since: The time since it ended. Nil if it has not.
    public mutating func add(_ state: BuildState, _ failure: BuildFailure.Code?, since: Duration?) {
        guard state.isFinal else { return isUnderWay = true }
        if failure != .parentFailed { ended += 1 }
        if failure == .canceled { isCanceled = true }
        sinceLast = [sinceLast, since].compactMap(\.self).min()
    }

    /// Whether no build will be asked for any more.
    public func areGivenUp(_ bounds: Bounds) -> Bool { !isUnderWay && (isCanceled || ended >= bounds.most) }

    /// Whether no build may be asked for, now or ever.
    public func areSpent(_ bounds: Bounds) -> Bool {
        if isCanceled || ended >= bounds.most { return true }
        guard ended > 0, let sinceLast else { return false }
        return sinceLast < bounds.firstPause * (1 << (ended - 1))
    }
}
