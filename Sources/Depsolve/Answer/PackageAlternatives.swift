public import Compression
public import Repodata

/// Package alternatives are the packages of the repositories that have the name of a package that was
/// taken, and that were not taken themselves.
///
/// Example: of `libed-1.0-1`, `libed-1.1-2` and another file of `libed-1.1-2` in a second repository,
/// the first file of `libed-1.1-2` is taken. The two others are its alternatives.
public struct PackageAlternatives: Hashable, Sendable, Codable {
    /// The maximum number of builds.
    static let mostBuilds = 3

    /// Other builds of the package, the newest first. At most three.
    public var builds: [NEVRA]
    /// The repositories with another file of the same name, version and architecture, by
    /// ``RepositoryMetadata/id``. They are in order of preference.
    public var otherFiles: [Checksum]

    public init(builds: [NEVRA] = [], otherFiles: [Checksum] = []) {
        self.builds = builds
        self.otherFiles = otherFiles
    }
}
