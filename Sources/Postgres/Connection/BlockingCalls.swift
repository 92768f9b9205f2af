import Dispatch
import Synchronization

/// The threads for the two calls of libpq that block: to connect and to cancel. Connecting resolves
/// names, and tries several hosts in turn.
///
/// Both calls are rare. Neither the PostgreSQL thread nor Swift's own threads wait for them.
enum BlockingCalls {
    private static let queue = DispatchQueue(label: "postgres.blocking", attributes: .concurrent)

    static func start(_ call: @escaping @Sendable () -> Void) { queue.async(execute: call) }

    /// Connects within the configured time. If the caller gives up first, a connection that is made later
    /// is closed.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError`.
    @PostgresThread static func connect(_ configuration: PostgresConfiguration) async throws -> ConnectionHandle {
        try Task.checkCancellation()
        let attempt = Attempt()
        start {
            let outcome = Result { () throws(PostgresError) in try ConnectionHandle(connecting: configuration) }
            attempt.outcome.withLock { $0 = outcome }
            attempt.done.wake(.ready)
        }
        switch await attempt.done.wait(until: .now + configuration.connectTimeout) {
        case .cancelled: throw CancellationError()
        case .deadline: throw PostgresError(.connection, "PostgreSQL did not answer within \(configuration.connectTimeout)")
        case .ready: break
        }
        guard let outcome = attempt.outcome.withLock({ exchange(&$0, with: nil) }) else { throw CancellationError() }
        return try outcome.get()
    }

    private final class Attempt: Sendable {
        let done = Suspension()
        let outcome = Mutex<Result<ConnectionHandle, PostgresError>?>(nil)
    }
}
