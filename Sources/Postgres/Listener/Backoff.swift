/// The delays between repeated attempts.
///
/// A delay doubles with each failure, from `shortest` up to `longest`. It is shortened at random by up
/// to half, so that many clients do not try again at the same moment.
public struct Backoff: Sendable {
    public var shortest: Duration
    public var longest: Duration

    public init(shortest: Duration = .milliseconds(100), longest: Duration = .seconds(15)) {
        self.shortest = shortest
        self.longest = longest
    }

    /// Returns the delay before the next attempt.
    ///
    /// - Parameter failures: The number of attempts in a row that failed before the latest failure.
    func delay(afterFailures failures: Int) -> Duration {
        min(longest, shortest * (1 << min(failures, 30))) * Double.random(in: 0.5...1)
    }
}
