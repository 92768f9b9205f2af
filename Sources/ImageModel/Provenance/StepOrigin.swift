/// A *step origin* is what a worker knows of one platform when its build begins, and what the registry
/// does not show later.
public struct StepOrigin: Hashable, Sendable, Codable {
    /// A compose whose packages each RUN sees.
    public struct Compose: Hashable, Sendable, Codable {
        public var id: Int
        /// The digest of `compose.lock.json`, which names every package with its checksum. Nil if the compose
        /// has no such file.
        public var lock: ImageDigest?

        public init(id: Int, lock: ImageDigest?) {
            self.id = id
            self.lock = lock
        }
    }

    /// The digest of the Containerfile, before images after FROM got their digests.
    public var containerfile: ImageDigest
    /// The name of the node. Example: `local`.
    public var node: String
    /// The means that separate a RUN from the host. Example: `rootless`.
    public var isolation: String
    public var composes: [Compose]
    /// The reference of the image that the last stage builds on, directly or through earlier stages. Nil
    /// for `scratch`.
    public var base: String?
    /// Whether a RUN of the Containerfile upgrades packages of the base.
    public var upgrades: Bool

    public init(
        containerfile: ImageDigest, node: String, isolation: String, composes: [Compose], base: String? = nil, upgrades: Bool = false
    ) {
        self.containerfile = containerfile
        self.node = node
        self.isolation = isolation
        self.composes = composes
        self.base = base
        self.upgrades = upgrades
    }
}

/// A *build cause* is a rebuild that asked for a build, with its reason.
public struct BuildCause: Hashable, Sendable, Codable {
    public var rebuild: Int
    /// The compose with the newer packages.
    public var compose: Int
    public var advisory: String?
    public var cves: [String]

    public init(rebuild: Int, compose: Int, advisory: String?, cves: [String]) {
        self.rebuild = rebuild
        self.compose = compose
        self.advisory = advisory
        self.cves = cves
    }
}
