/// A refusal reason is the reason for a status 401, 403 or 429, as a label of metrics. It never has a
/// text from outside.
enum RefusalReason: String, Sendable {
    // 401
    case noCredentials = "no-credentials"
    case unknownKind = "unknown-kind"
    case wrongCredentials = "wrong-credentials"
    // 403
    /// The provider knows the sender, but it may not use this service.
    case account
    /// No rule names the sender.
    case noRule = "no-rule"
    /// No rule of the sender allows all of the request.
    case rule
    case scope
    /// An API token or a workload cannot do this, or not to this object.
    case token
    /// Only admins can do this.
    case admin
    /// The object belongs to another account.
    case owner
    /// The sender is not a reader of a private target directory.
    case target
    case crossSite = "cross-site"
    // 429
    case requestsPerMinute = "requests-per-minute"
    case failedLogins = "failed-logins"
    case waitingComposes = "waiting-composes"
    case watches
    /// The rules of an account by which images follow others.
    case imageRules = "image-rules"
    case gigabytes
    case buildSteps = "build-steps"
    case buildMinutes = "build-minutes"
    case uploads
    case eventStreams = "event-streams"
}
