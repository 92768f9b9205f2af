public import ComposeStore
public import ComposeWorker
public import ImageModel

/// A *step runner* does the work of one step: it builds and pushes one platform of an image, or writes
/// the manifest list and moves the tags.
public protocol StepRunner: Sendable {
    /// Does the work. It stops when its task is canceled, and leaves no process behind.
    ///
    /// - Parameters:
    ///   - lease: The lease of the step. Its token is a name that no other attempt has.
    ///   - build: The build as it is after the claim. The manifest list finds the digests of the platforms
    ///     in its steps.
    ///   - deadline: The time until which the lease is held. Nothing is written elsewhere after it.
    /// - Throws: ``BuildFailure``, or `FailureOfNode` for another node to try. A manifest list also throws
    ///   `GoneImages`, if platforms have to be done again.
    func run(_ lease: StepLease, of build: Build, until deadline: LeaseDeadline) async throws -> StepResult

    /// Removes what a step has left on its node, after its result was recorded. Only the slot of the worker
    /// waits for it. If it throws or is canceled, a later sweep removes the rest.
    func clean(after step: Step, of build: Build) async throws
}

extension StepRunner {
    public func clean(after step: Step, of build: Build) async throws {}
}

/// The result of a step.
public struct StepResult: Hashable, Sendable {
    /// The digest of the manifest or manifest list, as the registry has it.
    public var digest: ImageDigest
    /// The tags that show the manifest list now. None for a platform.
    public var tags: [ImageTag]

    public init(digest: ImageDigest, tags: [ImageTag] = []) {
        self.digest = digest
        self.tags = tags
    }
}
