import ServiceLifecycle

/// Runs `work` repeatedly, until the service is to shut down or its task is canceled. The interval is
/// jittered by up to a tenth, so that many workers do not act at the same moment.
///
/// - Parameter delay: The time before the first run.
public func periodically(
    every interval: Duration, firstAfter delay: Duration = .zero, _ work: @escaping @Sendable () async -> Void
) async {
    await cancelWhenGracefulShutdown {
        var pause = delay
        while true {
            // Only time brings the next run. The sleep fails only if the task is canceled, and that is the end.
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            await work()
            pause = interval * Double.random(in: 0.9...1.1)
        }
    }
}

/// Runs the housekeeping `work` repeatedly, as ``periodically(every:firstAfter:_:)`` does. The first
/// run is a quarter of a second after the start, so that the first compose of a worker does not wait
/// for it.
public func housekeeping(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await periodically(every: interval, firstAfter: min(interval, .milliseconds(250)), work)
}
