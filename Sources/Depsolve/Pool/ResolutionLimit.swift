import CSolv

/// A limit for the time of a resolution. It is reached at a fixed moment, or earlier if the task is
/// canceled.
///
/// Code that may take long calls ``check()`` between two steps. libsolv checks the limit at each
/// conflict that it meets. See ``solve(_:_:)``.
struct ResolutionLimit {
    /// The maximum time for resolving the packages of one architecture.
    let length: Duration
    private let end: ContinuousClock.Instant

    /// Makes a limit that ends `length` from now.
    init(_ length: Duration) {
        self.length = length
        end = .now + length
    }

    private var isReached: Bool { Task.isCancelled || ContinuousClock.now >= end }

    /// Throws `.canceled` if the task is canceled, and `.overTime` if the time has passed.
    func check() throws(DepsolveError) {
        if Task.isCancelled { throw .canceled }
        if ContinuousClock.now >= end { throw .overTime(length) }
    }

    /// Runs libsolv's solver within the limit. Blocks.
    ///
    /// Throws `.canceled` or `.overTime`. Then the solver can only be freed, and its pool should not be
    /// used for anything else.
    ///
    /// - Returns: Whether all of `jobs` could be done. If not, the solver has the problems.
    func solve(_ solver: UnsafeMutablePointer<Solver>, _ jobs: borrowing IdQueue) throws(DepsolveError) -> Bool {
        var limit = self
        let queue = jobs.pointer
        let problems = withUnsafeMutablePointer(to: &limit) { limit in
            solver_solve_limited(
                solver, queue, { $0!.assumingMemoryBound(to: ResolutionLimit.self).pointee.isReached ? 0 : 1 }, limit)
        }
        guard problems >= 0 else { throw Task.isCancelled ? .canceled : .overTime(length) }
        return problems == 0
    }
}
