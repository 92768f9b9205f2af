import Dispatch

/// Runs a ``Depsolver``'s work one piece after the other on threads of its own, so that a long solve holds up nobody else.
final class PoolExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "depsolve")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
