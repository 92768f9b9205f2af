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
    ///   - inputs: The records of the build as they are after the claim.
    ///   - deadline: The time until which the lease is held. Nothing is written elsewhere after it.
    /// - Throws: ``BuildFailure``, or `FailureOfNode` for another node to try. A manifest list also throws
    ///   `GoneImages`, if platforms have to be done again.
    func run(_ lease: StepLease, _ inputs: StepInputs, until deadline: LeaseDeadline) async throws -> StepResult

    /// Removes what a step has left on the node of a farm, after its result was recorded. If it throws or
    /// is canceled, a later sweep removes the rest.
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
    /// The comparison of a platform's contents before and after the build. Nil for a list.
    public var verification: Verification?

    public init(digest: ImageDigest, tags: [ImageTag] = [], verification: Verification? = nil) {
        self.digest = digest
        self.tags = tags
        self.verification = verification
    }
}
