import ImageModel

/// An error: a node of a farm could not build a step. Another node may succeed.
struct FailureOfNode: Error {
    /// The failure of the step if no other node can build it.
    let failure: BuildFailure
}
