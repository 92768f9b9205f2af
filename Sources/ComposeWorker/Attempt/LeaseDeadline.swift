import ComposeStore
import Synchronization

/// A lease deadline is the time until which a worker may trust that it holds a lease. It uses the
/// worker's own clock, and is never later than the end of the lease in the database.
///
/// A stopped process may continue after another worker took over. It learns of this only from its next
/// query to the database. Work that cannot query first, such as a line of the log, checks this
/// deadline.
public final class LeaseDeadline: Sendable {
    private struct Renewal {
        /// A moment before the lease was requested or renewed.
        var asked: ContinuousClock.Instant
        /// Whether a later renewal failed, so that the worker's presence may be lost too.
        var isInDoubt = false
    }

    private let last: Mutex<Renewal>
    private let length: Duration

    /// - Parameters:
    ///   - asked: A moment before the lease was requested.
    ///   - length: The length of the lease.
    public init(asked: ContinuousClock.Instant = .now, length: Duration) {
        self.length = length
        last = Mutex(Renewal(asked: asked))
    }

    /// Moves the deadline, because the lease was renewed.
    ///
    /// - Parameter asked: A moment before the renewal was requested.
    func renewed(asked: ContinuousClock.Instant) { last.withLock { $0 = Renewal(asked: asked) } }

    /// Shortens the deadline, because a renewal failed. If the worker's presence is lost as well, the lease
    /// in the database may end ``WorkerPresence/grace`` after the last renewal.
    func doubted() { last.withLock { $0.isInDoubt = true } }

    /// Whether another worker may have the work.
    public var isOver: Bool {
        let renewal = last.withLock { $0 }
        return renewal.asked + Self.trusted(renewal.isInDoubt ? min(length, WorkerPresence.grace) : length) <= .now
    }

    /// Whether the lease has run out even if its worker was present all the time. Until then, a renewal may
    /// still succeed.
    var hasRunOut: Bool { last.withLock(\.asked) + Self.trusted(length) <= .now }

    /// Returns the part of a time that a worker trusts. The margin is for clocks that differ in speed.
    private static func trusted(_ length: Duration) -> Duration { length - length / 10 }
}
