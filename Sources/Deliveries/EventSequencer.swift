import BackgroundWork
public import ComposeStore
public import Logging
public import Postgres
public import ServiceLifecycle

/// An event sequencer gives positions to events soon after they are committed, and notifies for them.
///
/// Every process runs one. It works after each write of its own process, so a commit need not notify.
/// Their transactions follow each other, and each numbers all events that are there. After many turns
/// in a row, it rests between them (``SequencingPace``). The interval is for the events of a process
/// that died.
public struct EventSequencer: Service {
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let interval: Duration
    let logger: Logger

    public init(store: ComposeStore, listener: PostgresListener, channel: String, interval: Duration = .seconds(1), logger: Logger) {
        self.store = store
        self.listener = listener
        self.channel = channel
        self.interval = interval
        self.logger = logger
    }

    public func run() async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let reports = store.eventReports()
        let notifications = listener.notifications(on: channel, where: \.mayBringUnnumberedEvents)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in reports { wake.yield() }
                }
                group.addTask {
                    for await _ in notifications { wake.yield() }
                }
                group.addTask {
                    await periodically(every: interval) { wake.yield() }
                }
                var pace = SequencingPace(at: .now)
                for await _ in wakes {
                    let rest = pace.takeTurn(at: .now)
                    // A canceled rest means that the service ends, which does a last turn.
                    if rest > .zero { try? await Task.sleep(for: rest) }
                    await sequence()
                }
                group.cancelAll()
            }
        }
        // The last writes of the other services are numbered before the connection goes.
        await sequence()
    }

    private func sequence() async {
        do {
            try await store.sequenceEvents()
        } catch is CancellationError {
            return
        } catch {
            logger.workFailed("could not give positions to events", error, level: .warning)
        }
    }
}

extension PostgresNotification {
    /// Whether a trigger or a statement may have stored an event of a build or of a token. Examples:
    /// `build 2 17`, `token 4k7m2p9xz1`.
    fileprivate var mayBringUnnumberedEvents: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("build ") || payload.hasPrefix("token ")
    }
}
