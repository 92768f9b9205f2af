public import Foundation
public import ImageModel

// An image is a name in a registry that the service builds. A build is one image built once, for all its
// platforms.
extension ComposeClient {
    /// Returns the image with this number, also if it was removed.
    public func image(_ id: Int) async throws -> ImageDocument {
        try await transport.answer(.image(id))
    }

    public func images(_ query: ImageListQuery = ImageListQuery()) async throws -> ImageList {
        try await transport.answer(.images(query))
    }

    /// Adds an image, or gives a known image a new definition. Returns the image as the service has
    /// stored it.
    public func addImage(_ submission: ImageSubmission) async throws -> ImageDocument {
        try await transport.answer(.addImage(submission), patience: .firstContact)
    }

    /// Removes an image from the service. Nothing happens in the registry.
    public func removeImage(_ id: Int) async throws -> ImageDocument {
        try await transport.answer(.removeImage(id))
    }

    /// Uploads a build context. A definition names it by the digest of the answer.
    public func upload(_ context: ContextUpload) async throws -> ContextDocument {
        try await transport.answer(.upload(context), patience: .firstContact)
    }

    /// Returns the packages of an image on each platform.
    public func contents(of image: Int, _ query: ContentsQuery = ContentsQuery()) async throws -> ContentsDocument {
        try await transport.answer(.contents(image, query))
    }

    /// Returns the change of an image's packages from one place to another.
    public func difference(of image: Int, _ query: DifferenceQuery) async throws -> DifferenceDocument {
        try await transport.answer(.difference(image, query))
    }

    /// Returns the way by which a package came into an image.
    public func why(of image: Int, _ query: WhyQuery) async throws -> WhyDocument {
        try await transport.answer(.why(image, query))
    }

    /// Returns the images that have a package, and those whose contents are not known.
    public func affected(_ query: AffectedQuery) async throws -> AffectedList {
        try await transport.answer(.affected(query))
    }

    /// Asks for a build of an image. The request is repeated as in ``submit(_:idempotencyKey:)``.
    public func startBuild(
        of image: Int, _ submission: BuildSubmission = BuildSubmission(), idempotencyKey: String = UUID().uuidString
    ) async throws -> BuildDocument {
        try await transport.answer(.startBuild(image, submission, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    public func build(_ id: Int) async throws -> BuildDocument {
        try await transport.answer(.build(id))
    }

    public func builds(_ query: BuildListQuery = BuildListQuery()) async throws -> BuildList {
        try await transport.answer(.builds(query))
    }

    /// Cancels a build that has not ended.
    public func cancelBuild(_ id: Int) async throws -> Acknowledgement {
        try await transport.answer(.cancelBuild(id))
    }

    /// Asks for builds of all images that have older packages than a compose, or only for the plan. The
    /// request is repeated as in ``submit(_:idempotencyKey:)``.
    public func startRebuild(
        _ submission: RebuildSubmission, idempotencyKey: String = UUID().uuidString
    ) async throws -> RebuildDocument {
        try await transport.answer(.startRebuild(submission, idempotencyKey: idempotencyKey), patience: .firstContact)
    }

    public func rebuild(_ id: Int) async throws -> RebuildDocument {
        try await transport.answer(.rebuild(id))
    }

    /// Returns one page of rebuilds, the newest first.
    public func rebuilds(page: Int? = nil, perPage: Int? = nil) async throws -> RebuildList {
        try await transport.answer(.rebuilds(page: page, perPage: perPage))
    }

    /// Cancels the builds of a rebuild that no other rebuild needs.
    public func cancelRebuild(_ id: Int) async throws -> Acknowledgement {
        try await transport.answer(.cancelRebuild(id))
    }

    /// Adds a rule. If the same owner has the same rule already, that rule is returned.
    public func addRule(_ submission: RuleSubmission) async throws -> RuleDocument {
        try await transport.answer(.addRule(submission))
    }

    public func rule(_ id: Int) async throws -> RuleDocument {
        try await transport.answer(.rule(id))
    }

    /// Returns one page of rules, the newest first.
    public func rules(_ query: WatchQuery = WatchQuery()) async throws -> RuleList {
        try await transport.answer(.rules(query))
    }

    /// Removes a rule. The builds that it asked for go on.
    public func removeRule(_ id: Int) async throws -> RuleDocument {
        try await transport.answer(.removeRule(id))
    }

    /// Returns the events of a build until its state is final.
    ///
    /// - Parameters:
    ///   - logs: Whether the lines of the logs are among them.
    ///   - steps: Whether each change of a step is among them soon. Otherwise it may come with the end.
    public func follow(build id: Int, logs: Bool, steps: Bool = true) -> BuildEvents {
        BuildEvents(id: id, includesLogs: logs, includesSteps: steps, transport: transport)
    }
}
