import Dispatch

/// An executor that runs the jobs of a ``Depsolver`` one after the other, on threads of its own. A long
/// solve does not block any other work.
final class PoolExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "depsolve")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
