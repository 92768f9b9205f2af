import ServiceLifecycle

/// Runs `work` repeatedly, until the service is to shut down or its task is canceled. The interval is
/// jittered by up to a tenth, so that many workers do not act at the same moment.
public func periodically(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            await work()
            // If the task is canceled during the sleep, the condition of the loop ends it.
            try? await Task.sleep(for: interval * Double.random(in: 0.9...1.1))
        }
    }
}

/// Runs the housekeeping `work` repeatedly, as ``periodically(every:_:)`` does. The first time is a
/// moment after the start, so that the first compose of a worker does not wait for it.
public func housekeeping(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    // If the task is canceled during the sleep, no work is done.
    await cancelWhenGracefulShutdown { try? await Task.sleep(for: min(interval, .milliseconds(250))) }
    await periodically(every: interval, work)
}
