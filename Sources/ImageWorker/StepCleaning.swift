import ImageModel
import Logging
import Retries
import ServiceLifecycle

/// The *step cleaning* removes the images of steps from the nodes of farms, after their results were
/// recorded. No slot waits for it. An image that it cannot remove stays until the next sweep.
///
/// A removal begins a moment later than the manifest list. On a host with few processors, it would slow
/// the list down.
struct StepCleaning: Sendable {
    private let runner: any StepRunner
    private let pause: Duration
    private let limit: Duration
    private let logger: Logger
    private let steps: AsyncStream<(step: Step, build: Build)>
    private let queue: AsyncStream<(step: Step, build: Build)>.Continuation

    /// - Parameters:
    ///   - pause: The time between the record of a result and the removal.
    ///   - limit: The longest time of one removal.
    init(runner: any StepRunner, after pause: Duration, within limit: Duration, logger: Logger) {
        self.runner = runner
        self.pause = pause
        self.limit = limit
        self.logger = logger
        (steps, queue) = AsyncStream.makeStream()
    }

    /// Lets the image of a step be removed, if it is on the node of a farm.
    func add(_ step: Step, of build: Build) {
        if step.isOnFarm { queue.yield((step, build)) }
    }

    /// Removes images until the graceful shutdown.
    func run() async {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await (step, build) in steps { group.addTask { await clean(after: step, of: build) } }
            }
        }
    }

    private func clean(after step: Step, of build: Build) async {
        do {
            try await Task.sleep(for: pause)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await runner.clean(after: step, of: build) }
                group.addTask {
                    // This task is the clock of the other one.
                    try await longSleep(for: limit)
                    throw TooLong()
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch {
            logger.info(
                "the image of a step stays on its node until the next sweep",
                metadata: ["build": "\(build.id)", "node": "\(step.node ?? "")", "reason": "\(error)"])
        }
    }

    /// An error: the node did not remove an image in time.
    private struct TooLong: Error, CustomStringConvertible {
        let description = "The node did not answer in time."
    }
}
