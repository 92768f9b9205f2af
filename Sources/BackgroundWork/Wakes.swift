public import Postgres
import ServiceLifecycle

/// Repeats `work` until the service is to shut down: at once, after each notification, and after each
/// interval, because a notification can be lost. The calls follow each other.
///
/// Several notifications during one call lead to one more call.
public func repeatedly(
    after notifications: AsyncStream<PostgresNotification>, orEvery interval: Duration, _ work: @escaping @Sendable () async -> Void
) async {
    let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    await cancelWhenGracefulShutdown {
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in notifications { wake.yield() }
            }
            group.addTask {
                await periodically(every: interval) { wake.yield() }
            }
            for await _ in wakes { await work() }
            group.cancelAll()
        }
    }
}
