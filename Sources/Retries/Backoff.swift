/// A backoff is the series of pauses between repeated attempts. The pauses grow up to a longest one.
///
/// Each pause is shortened at random by up to half, so that many clients do not try again at the same
/// moment. Example: with the factor 2, a first pause of 1 second and a longest one of 5 seconds, the
/// ceilings are 1, 2, 4, 5 and 5 seconds.
public struct Backoff: Hashable, Sendable {
    public var first: Duration
    public var longest: Duration
    /// The growth from one pause to the next.
    public var factor: Double

    public init(first: Duration, longest: Duration, factor: Double = 2) {
        self.first = first
        self.longest = longest
        self.factor = factor
    }

    /// Returns the longest pause after attempt number `attempt`. The first attempt has the number 1.
    public func ceiling(after attempt: Int) -> Duration {
        var pause = first
        var number = 1
        while number < attempt, pause < longest {
            pause = pause * factor
            number += 1
        }
        return min(pause, longest)
    }

    /// Returns a random pause after attempt number `attempt`. It is between half of the
    /// ``ceiling(after:)`` and all of it.
    ///
    /// - Parameter asked: The pause that the server asked for, see ``RetryAfter``. A shorter pause is
    ///   lengthened to it, but not beyond ``longest``.
    public func pause(after attempt: Int, atLeast asked: Duration? = nil) -> Duration {
        let pause = ceiling(after: attempt) * Double.random(in: 0.5...1)
        return asked.map { max(pause, min($0, longest)) } ?? pause
    }
}
