/// *Build pins* are the exact inputs of a build, which all its steps and attempts use. The first step
/// that prepares resolves them. So a tag or branch that moves meanwhile does not split the platforms.
public struct BuildPins: Hashable, Sendable, Codable {
    /// The commit of the git repository that has the Containerfile. Nil for other sources.
    public var commit: String?
    /// The digest of each image that the Containerfile names, by its reference with the default tag. It is
    /// the digest of the index if the image has several platforms. Example of a key:
    /// `registry.example.org/team/base:latest`.
    public var images: [String: ImageDigest]

    public init(commit: String? = nil, images: [String: ImageDigest] = [:]) {
        self.commit = commit
        self.images = images
    }
}
