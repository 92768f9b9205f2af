import BackgroundWork
public import ComposeStore
public import Logging
public import Postgres
import ServiceLifecycle

/// A lease loop claims the work of one queue and runs it, as many pieces at a time as it has slots.
///
/// A notification wakes the loop, and a jittered poll is the safety net. On a graceful shutdown it
/// claims no more work, and ends when the work in progress has ended.
public struct LeaseLoop<WorkLease: Lease>: Sendable {
    let slots: Int
    let pollInterval: Duration
    let listener: PostgresListener
    let channel: String
    let logger: Logger
    let claim: @Sendable () async throws -> WorkLease?
    let run: @Sendable (WorkLease, _ asked: ContinuousClock.Instant) async -> Void

    /// Creates the loop.
    ///
    /// - Parameters:
    ///   - pollInterval: The longest time that the loop waits before it looks for work without a
    ///     notification.
    ///   - claim: Claims the next lease. Returns `nil` if there is no work.
    ///   - run: Does the work and records its outcome. It stops the work on a graceful shutdown. It gets a
    ///     moment before the lease was requested.
    public init(
        slots: Int, pollInterval: Duration, listener: PostgresListener, channel: String, logger: Logger,
        claim: @escaping @Sendable () async throws -> WorkLease?,
        run: @escaping @Sendable (WorkLease, _ asked: ContinuousClock.Instant) async -> Void
    ) {
        self.slots = slots
        self.pollInterval = pollInterval
        self.listener = listener
        self.channel = channel
        self.logger = logger
        self.claim = claim
        self.run = run
    }

    private enum Wake: Sendable {
        case mayHaveWork
        case slotFree
    }

    public func runUntilShutdown() async {
        let (wakes, wake) = AsyncStream.makeStream(of: Wake.self)
        let notifications = listener.notifications(on: channel) { StateNotification.mayBringWork($0, to: WorkLease.queue) }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await cancelWhenGracefulShutdown {
                        for await _ in notifications { wake.yield(.mayHaveWork) }
                    }
                }
                group.addTask {
                    await periodically(every: pollInterval) { wake.yield(.mayHaveWork) }
                }
                var free = slots
                // Whether work may wait that was not taken.
                var othersWait = true
                for await event in wakes {
                    switch event {
                    case .slotFree: free += 1
                    case .mayHaveWork: othersWait = true
                    }
                    while othersWait, free > 0, !Task.isShuttingDownGracefully, let (lease, asked) = await next() {
                        othersWait = lease.othersWait
                        free -= 1
                        group.addTask {
                            await run(lease, asked)
                            wake.yield(.slotFree)
                        }
                    }
                }
            }
        } onGracefulShutdown: {
            wake.finish()
        }
    }

    /// Claims the next lease. Returns `nil` if no work can be claimed, or while the database is
    /// unavailable. The next poll tries again.
    private func next() async -> (lease: WorkLease, asked: ContinuousClock.Instant)? {
        let asked = ContinuousClock.now
        do {
            return try await claim().map { ($0, asked) }
        } catch {
            logger.workFailed("could not look for work", error)
            return nil
        }
    }
}
