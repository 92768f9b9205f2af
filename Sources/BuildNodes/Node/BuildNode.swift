public import ImageModel

/// A *build node* is a place that can build images for some platforms.
///
/// A built image stays on the node under the name of its step until it is removed. So a push that
/// failed is repeated without another build.
public protocol BuildNode: Sendable {
    /// The name of the node, for example `local`.
    var name: String { get }

    /// The means that separate a RUN instruction from the host, in one word for the provenance. Example:
    /// `rootless`.
    var isolation: String { get }

    /// Whether images share the caches of `RUN --mount=type=cache`, unless their ids differ.
    var sharesCaches: Bool { get }

    /// Whether ``BuildSpecification/volumes`` take the place of folders of the image. Without them, the
    /// specification has none.
    var hasVolumes: Bool { get }

    /// Returns how the node can build images of a platform.
    func support(for platform: Platform) async throws -> PlatformSupport

    /// Builds an image, and passes the lines of the log to `log`.
    ///
    /// Throws ``NodeFailure`` if the image cannot be built, and `CancellationError` if the task is
    /// canceled. In both cases no process of the build is left.
    func build(_ specification: BuildSpecification, log: @escaping @Sendable (String) -> Void) async throws -> BuildResult

    /// Returns the image of a step that was built before, or nil.
    func image(of step: ImageTag) async throws -> ImageDigest?

    /// Pushes the image of a step to a repository and tag. Returns the digest of its manifest.
    ///
    /// Throws ``NodeFailure`` if the registry does not accept it.
    func push(_ step: ImageTag, to target: PushTarget, log: @escaping @Sendable (String) -> Void) async throws -> ImageDigest

    /// Removes the image of a step. It is no error if there is no image.
    func remove(_ step: ImageTag) async throws
}

/// The repository and tag that an image is pushed to.
public struct PushTarget: Hashable, Sendable, CustomStringConvertible {
    public let repository: ImageRepository
    public let tag: ImageTag

    public init(_ repository: ImageRepository, tag: ImageTag) {
        self.repository = repository
        self.tag = tag
    }

    /// For example `registry.example.org/team/web:image-linux-amd64-2026-11-29`.
    public var description: String { "\(repository):\(tag)" }
}
