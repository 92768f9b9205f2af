import ImageModel
import Postgres

/// A step that was taken from a worker whose lease ran out.
public struct ReapedStep: Hashable, Sendable {
    public let id: Int
    /// Whether the step waits again. Otherwise its build has failed, because its workers were lost too
    /// often.
    public let isRequeued: Bool
}

extension ComposeStore {
    /// Takes back every step whose lease ran out. Any worker may call this at any time, but only one at a
    /// time does the work.
    public func reapSteps(retries: RetryPolicy) async throws -> [ReapedStep] {
        guard try await hasLostWork(in: .buildSteps) else { return [] }
        return try await changingBuilds { connection in
            let lost = try await takeBack(from: .buildSteps, retries: retries, on: connection)
            for step in lost where !step.isRequeued {
                let failure = BuildFailure(
                    .workerLost,
                    "\(step.attempts) Its log may show the instruction at which it stopped.")
                try await end(step.id, with: failure, on: connection)
            }
            return lost.map { ReapedStep(id: $0.id, isRequeued: $0.isRequeued) }
        }
    }
}
