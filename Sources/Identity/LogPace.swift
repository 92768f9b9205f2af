import Synchronization

/// A log pace chooses the failures that are logged: one a minute of each kind. A sender of bad
/// credentials can otherwise fill the log.
///
/// **Example:** of 600 bad tickets in a minute, the first one is logged. The first one of the next
/// minute is logged with the number 599.
public final class LogPace: Sendable {
    private struct Kind {
        var logged: ContinuousClock.Instant
        var passedOver = 0
    }

    private let interval: Duration
    private let kinds = Mutex<[String: Kind]>([:])

    public init(interval: Duration = .seconds(60)) { self.interval = interval }

    /// Counts a failure. Returns the number of failures of the kind that were passed over since the last
    /// logged one. Returns `nil` if this one is passed over too.
    ///
    /// - Parameter kind: One of a few words, never a text from outside.
    public func next(_ kind: String, at now: ContinuousClock.Instant = .now) -> Int? {
        kinds.withLock { kinds in
            guard let last = kinds[kind] else {
                kinds[kind] = Kind(logged: now)
                return 0
            }
            guard now - last.logged >= interval else {
                kinds[kind]?.passedOver += 1
                return nil
            }
            kinds[kind] = Kind(logged: now)
            return last.passedOver
        }
    }
}
