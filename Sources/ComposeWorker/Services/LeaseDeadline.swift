import Synchronization

/// Until when a worker may trust that it holds a lease, by its own clock: no later than the database says.
///
/// A process that was stopped and goes on after another worker took over learns of it only by its next question to the database. What cannot be
/// asked about first, such as a line of the log, looks here.
final class LeaseDeadline: Sendable {
    private let instant: Mutex<ContinuousClock.Instant>
    private let length: Duration

    /// - Parameters:
    ///   - asked: a moment before the lease was asked for.
    ///   - length: of the lease.
    init(asked: ContinuousClock.Instant = .now, length: Duration) {
        self.length = length
        instant = Mutex(Self.end(asked, length))
    }

    /// The lease was renewed.
    ///
    /// - Parameter asked: a moment before that was asked for.
    func renewed(asked: ContinuousClock.Instant) { instant.withLock { $0 = Self.end(asked, length) } }

    var isOver: Bool { instant.withLock { $0 <= .now } }

    /// With a margin for clocks that differ in speed.
    private static func end(_ asked: ContinuousClock.Instant, _ length: Duration) -> ContinuousClock.Instant {
        asked + length - length / 10
    }
}
