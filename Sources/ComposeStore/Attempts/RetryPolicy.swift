import Retries

/// The number of attempts at a compose or a step of a build, and the delays between them.
public struct RetryPolicy: Hashable, Sendable {
    /// The number of attempts, including the first, that may end in a transient failure or in the loss of
    /// the worker.
    public var attempts: Int
    public var firstDelay: Duration
    /// The time that a compose waits for signatures before it checks them again.
    public var signatureDelay: Duration

    public init(attempts: Int = 3, firstDelay: Duration = .seconds(5), signatureDelay: Duration = .seconds(60)) {
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.signatureDelay = signatureDelay
    }

    /// The delays between two attempts. Composes that failed together do not return together.
    var backoff: Backoff { Backoff(first: firstDelay, longest: firstDelay * 1024) }
}
