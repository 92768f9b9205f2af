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

    /// The tags of the manifest list, in the order in which they are written. The tag of the date is the
    /// first one, and tags that move are the last ones. A tag does not move to a list that lacks a
    /// platform.
    public var listTags: [(tag: ImageTag, moves: Bool)] {
        get throws(ImageProblem) {
            var tags = [(tag: dateTag, moves: false)]
            let definition = request.definition
            for pattern in definition.tags {
                tags.append((try ImageTag(pattern.replacing("{date}", with: dateTag.text)), !pattern.contains("{date}")))
            }
            if definition.movesLatest { tags.append((.latest, true)) }
            return tags.filter { !$0.moves } + (platformsLeftOut.isEmpty ? tags.filter(\.moves) : [])
        }
    }
}

extension Platform {
    /// The platform as a part of a name. Example: `linux-arm-v7`.
    public var inNames: String { description.replacing("/", with: "-") }
}
