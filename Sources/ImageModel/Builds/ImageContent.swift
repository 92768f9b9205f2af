public import ComposeModel

/// The *content* of an image is a request for a compose. Each build of the image asks for it, waits for
/// it, and installs packages from it. So a build needs no network.
public struct ImageContent: Hashable, Sendable, Codable {
    /// The request as a client sent it.
    public var submission: ComposeSubmission
    /// The validated request. Without packages it stands for those that the image had before.
    public var request: ComposeRequest

    public init(submission: ComposeSubmission, request: ComposeRequest) {
        self.submission = submission
        self.request = request
    }
}
