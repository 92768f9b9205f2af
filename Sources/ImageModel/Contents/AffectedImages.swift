/// The *affected images* are those that have older builds of some packages, for example of the packages
/// of a compose.
public struct AffectedImages: Hashable, Sendable {
    /// A package of an image, and the newer build that would replace it.
    public struct Finding: Hashable, Sendable, Codable {
        public let installed: InstalledPackage
        public let newest: EVR

        public init(installed: InstalledPackage, newest: EVR) {
            self.installed = installed
            self.newest = newest
        }
    }

    /// An image on one platform that has older builds.
    public struct Affected: Hashable, Sendable {
        public let image: Int
        public let platform: Platform
        public let digest: ImageDigest
        public var findings: [Finding]

        public init(image: Int, platform: Platform, digest: ImageDigest, findings: [Finding]) {
            self.image = image
            self.platform = platform
            self.digest = digest
            self.findings = findings
        }
    }

    /// An image on one platform whose contents are unknown or not read yet. It may be affected.
    public struct Unknown: Hashable, Sendable {
        public let image: Int
        public let platform: Platform
        public let digest: ImageDigest
        /// Nil if the contents were not read yet.
        public let problem: String?

        public init(image: Int, platform: Platform, digest: ImageDigest, problem: String?) {
            self.image = image
            self.platform = platform
            self.digest = digest
            self.problem = problem
        }
    }

    public var affected: [Affected]
    public var unknown: [Unknown]

    public init(affected: [Affected] = [], unknown: [Unknown] = []) {
        self.affected = affected
        self.unknown = unknown
    }
}

extension [InstalledPackage] {
    /// The newest build of each line.
    public var newest: [PackageLine: EVR] {
        Dictionary(map { ($0.line, $0.evr) }, uniquingKeysWith: Swift.max)
    }
}
