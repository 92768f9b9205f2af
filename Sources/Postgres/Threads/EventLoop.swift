import CLinux
import Foundation
import Glibc
import Synchronization

/// A thread that runs jobs in turn. Between the jobs it sleeps in epoll until a socket is ready, a
/// deadline has passed or a job is queued.
///
/// A waiting task is represented by a ``Suspension``, which the loop wakes. The loop holds no other
/// state of its users.
final class EventLoop: SerialExecutor {
    typealias Instant = ContinuousClock.Instant

    private struct State {
        var jobs: [UnownedJob] = []
        var sockets: [Int32: Suspension] = [:]
        /// The deadlines, the soonest first.
        var deadlines: [(instant: Instant, suspension: Suspension)] = []
        /// Whether the thread is in epoll, or about to enter it. It then notices a change of this state only
        /// after a write to the event counter.
        var sleeps = false
    }

    private let state = Mutex(State())
    private let epoll: Int32
    /// An eventfd that wakes the thread from its sleep.
    private let alarm: Int32

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        alarm = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(epoll >= 0 && alarm >= 0, "no file descriptor is left for PostgreSQL's event loop")
        watch(alarm, for: EPOLLIN.rawValue)
        let thread = Thread { [self] in run() }
        thread.name = "postgres"
        thread.start()
    }

    // MARK: From any thread

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        ring { $0.jobs.append(job) }
    }

    /// Wakes `suspension` once, when `socket` is ready for reading, or also for writing if `writable` is
    /// true.
    func wake(_ suspension: Suspension, whenReady socket: Int32, writable: Bool) {
        ring { $0.sockets[socket] = suspension }
        watch(socket, for: EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue | (writable ? EPOLLOUT.rawValue : 0))
    }

    /// Wakes `suspension` when `instant` has come.
    func wake(_ suspension: Suspension, at instant: Instant) {
        ring { state in
            let later = state.deadlines.lastIndex { $0.instant <= instant }.map { $0 + 1 } ?? 0
            state.deadlines.insert((instant, suspension), at: later)
        }
    }

    /// Forgets the socket and the deadline that were to wake `suspension`.
    func forget(_ suspension: Suspension, socket: Int32?, deadline: Instant?) {
        state.withLock { state in
            if let socket, state.sockets[socket] === suspension { state.sockets[socket] = nil }
            if deadline != nil { state.deadlines.removeAll { $0.suspension === suspension } }
        }
    }

    /// Changes the state, and wakes the thread if it sleeps.
    private func ring(_ change: (inout State) -> Void) {
        let asleep = state.withLock { state in
            change(&state)
            return exchange(&state.sleeps, with: false)
        }
        if asleep { eventfd_write(alarm, 1) }
    }

    private func watch(_ descriptor: Int32, for events: UInt32) {
        var event = epoll_event()
        event.events = events
        event.data.fd = descriptor
        // The kernel removes a closed descriptor from the set, and a new descriptor may have the same number.
        if epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) != 0 { epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) }
    }

    // MARK: On the loop's thread

    private static let roundsBetweenLooks = 16

    private func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 64)
        while true {
            // A statement consists of several jobs, each of which queues the next. A check of the sockets between
            // any two jobs would cost more than the jobs.
            for _ in 0..<Self.roundsBetweenLooks {
                let jobs = state.withLock { exchange(&$0.jobs, with: []) }
                if jobs.isEmpty { break }
                for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            }
            let timeout = state.withLock { state in
                state.sleeps = state.jobs.isEmpty
                return state.sleeps ? Self.milliseconds(until: state.deadlines.first?.instant) : 0
            }
            let count = epoll_wait(epoll, &events, Int32(events.count), timeout)
            for suspension in due(events.prefix(Int(max(count, 0)))) { suspension.wake(.ready) }
            for suspension in overdue() { suspension.wake(.deadline) }
        }
    }

    private func due(_ events: ArraySlice<epoll_event>) -> [Suspension] {
        state.withLock { state in
            state.sleeps = false
            return events.compactMap { event in
                if event.data.fd == alarm {
                    var count: eventfd_t = 0
                    eventfd_read(alarm, &count)
                }
                return state.sockets.removeValue(forKey: event.data.fd)
            }
        }
    }

    private func overdue() -> [Suspension] {
        state.withLock { state in
            guard let first = state.deadlines.first?.instant else { return [] }
            let now = ContinuousClock.now
            guard first <= now else { return [] }
            let count = state.deadlines.firstIndex { $0.instant > now } ?? state.deadlines.count
            defer { state.deadlines.removeFirst(count) }
            return state.deadlines.prefix(count).map(\.suspension)
        }
    }

    /// Returns the time until `instant` as a timeout for epoll: in milliseconds, rounded up. -1 means no
    /// timeout.
    private static func milliseconds(until instant: Instant?) -> Int32 {
        guard let instant else { return -1 }
        let left = ContinuousClock.now.duration(to: instant)
        return left <= .zero ? 0 : Int32(clamping: Int((left / .milliseconds(1)).rounded(.up)))
    }
}
