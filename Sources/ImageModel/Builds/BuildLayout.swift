/// A build layout is the places of a build's files below a target directory, and its tags. Frontend
/// and workers share the target directory.
public struct BuildLayout: Hashable, Sendable {
    /// The directory of all builds, below the target directory that comes first in the order of names.
    public static let directory = "builds"

    public let build: Int

    public init(build: Int) { self.build = build }

    /// The directory of the build's logs, below the target directory. Example: `builds/12`.
    public var logs: String { "\(Self.directory)/\(build)" }

    /// The log of one platform, below the target directory. It grows while the platform is built. Example:
    /// `builds/12/linux-arm64.log`.
    public func log(of platform: Platform) -> String { "\(logs)/\(platform.inNames).log" }
}

extension Build {
    /// The tag that a platform is pushed to. From then on only the digest counts. Example:
    /// `image-linux-amd64-20261129`.
    public func tag(of platform: Platform) throws(ImageProblem) -> ImageTag {
        try ImageTag("image-\(platform.inNames)-\(dateTag)")
    }
}

extension Platform {
    /// The platform as a part of a name. Example: `linux-arm-v7`.
    fileprivate var inNames: String { description.replacing("/", with: "-") }
}
