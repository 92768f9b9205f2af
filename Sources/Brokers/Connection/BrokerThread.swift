import Dispatch
import Glibc
import Synchronization

/// An executor that runs the jobs of a ``BrokerReceiver`` one after the other, on threads of its
/// own. A call that blocks does not hold up other receivers.
final class BrokerThread: SerialExecutor {
    private let queue = DispatchQueue(label: "broker")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}

/// The moment at which a call must end. A task that is canceled has one second more for the answers
/// that are on their way, because messages without an answer are sent again.
final class Deadline {
    private static let grace = Duration.seconds(1)
    private var end: ContinuousClock.Instant
    private var isShortened = false

    init(after time: Duration) {
        end = .now + time
    }

    /// The time that is left, or `nil` if it is over.
    var left: Duration? {
        if Task.isCancelled, !isShortened {
            isShortened = true
            end = min(end, .now + Self.grace)
        }
        let left = end - .now
        return left > .zero ? left : nil
    }

    /// The next time to wait for something: a piece of the time that is left, so that a
    /// cancellation is noticed. `nil` if no time is left.
    var slice: Duration? { left.map { min($0, .milliseconds(200)) } }
}

extension Duration {
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}

/// A socket guard ends a socket when a call that writes to it takes too long. A broker that reads
/// nothing would otherwise hold the thread without an end.
final class SocketGuard: Sendable {
    private let socket: Mutex<CInt?>

    init(_ socket: CInt, after time: Duration) {
        self.socket = Mutex(socket)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(time.milliseconds)) { [weak self] in
            self?.socket.withLock { socket in
                // The call sees the end of the socket, and its owner closes it.
                if let open = socket { shutdown(open, CInt(SHUT_RDWR)) }
                socket = nil
            }
        }
    }

    /// Ends the watch. Returns whether the socket was ended before.
    func end() -> Bool {
        socket.withLock { socket in
            defer { socket = nil }
            return socket == nil
        }
    }
}
