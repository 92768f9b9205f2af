import Synchronization

/// A lease deadline is the time until which a worker may trust that it holds a lease. It uses the
/// worker's own clock, and is never later than the end of the lease in the database.
///
/// A stopped process may continue after another worker took over. It learns of this only from its next
/// query to the database. Work that cannot query first, such as a line of the log, checks this
/// deadline.
public final class LeaseDeadline: Sendable {
    private let instant: Mutex<ContinuousClock.Instant>
    private let length: Duration

    /// - Parameters:
    ///   - asked: A moment before the lease was requested.
    ///   - length: The length of the lease.
    public init(asked: ContinuousClock.Instant = .now, length: Duration) {
        self.length = length
        instant = Mutex(Self.end(asked, length))
    }

    /// Moves the deadline, because the lease was renewed.
    ///
    /// - Parameter asked: A moment before the renewal was requested.
    func renewed(asked: ContinuousClock.Instant) { instant.withLock { $0 = Self.end(asked, length) } }

    public var isOver: Bool { instant.withLock { $0 <= .now } }

    /// Returns the deadline of a lease, with a margin of a tenth of its length for clocks that differ in
    /// speed.
    private static func end(_ asked: ContinuousClock.Instant, _ length: Duration) -> ContinuousClock.Instant {
        asked + length - length / 10
    }
}
