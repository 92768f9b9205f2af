/// How long to wait before another attempt: doubling from one bound to the other, less a random part so that many do not come at once.
public struct Backoff: Sendable {
    public var shortest: Duration
    public var longest: Duration

    public init(shortest: Duration = .milliseconds(100), longest: Duration = .seconds(15)) {
        self.shortest = shortest
        self.longest = longest
    }

    /// - Parameter failures: how many attempts in a row have failed before.
    func delay(afterFailures failures: Int) -> Duration {
        min(longest, shortest * (1 << min(failures, 30))) * Double.random(in: 0.5...1)
    }
}
