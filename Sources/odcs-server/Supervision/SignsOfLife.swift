import Logging
import NIOCore
import NIOPosix
import Postgres
import ServiceLifecycle

/// A service that sends signs of life to the service manager, and a message when the process begins to
/// stop. It has to be the last in the group, because the last one stops first.
///
/// A sign of life says that each event loop and the pool of connections have just answered. If the
/// database is away, the pool answers with an error. A restart would not bring the database back, and
/// would lose the requests that wait for it.
struct SignsOfLife: Service {
    /// The time after which a statement without an answer is given up. The end of the statement is an
    /// answer of the pool, too.
    private static let patience = Duration.seconds(10)

    let manager: ServiceManager
    let pool: PostgresPool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            guard let interval = manager.watchdog else {
                // The error of a sleep says that the service ends.
                while !Task.isCancelled { try? await Task.sleep(for: .seconds(86_400)) }
                return
            }
            while !Task.isCancelled {
                await answers()
                manager.notify("WATCHDOG=1")
                try? await Task.sleep(for: interval / 4)
            }
        }
        manager.notify("STOPPING=1", "STATUS=Stopping: no new requests, and composes go back to the queue.")
    }

    /// Returns when each event loop has run a task and the pool has answered.
    private func answers() async {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            do { try await loop.submit {}.get() } catch { return }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    _ = try await pool.query("SELECT 1")
                } catch {
                    logger.debug("the database did not answer for a sign of life", metadata: ["error": "\(error)"])
                }
            }
            // The error of a sleep says that the pool has answered.
            group.addTask { try? await Task.sleep(for: Self.patience) }
            await group.next()
            group.cancelAll()
        }
    }
}
