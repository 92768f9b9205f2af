import CSolv

/// A resolution limit is the moment at which a resolution is given up, and whether its task was canceled before.
///
/// Whatever may take long asks ``check()`` between two steps. libsolv asks it at each conflict that it meets, see ``solve(_:_:)``.
struct ResolutionLimit {
    /// For how long packages of one architecture may be resolved.
    let length: Duration
    private let end: ContinuousClock.Instant

    /// A limit that ends `length` from now.
    init(_ length: Duration) {
        self.length = length
        end = .now + length
    }

    private var isReached: Bool { Task.isCancelled || ContinuousClock.now >= end }

    /// Throws `.canceled` or `.overTime` if there is no point in going on.
    func check() throws(DepsolveError) {
        if Task.isCancelled { throw .canceled }
        if ContinuousClock.now >= end { throw .overTime(length) }
    }

    /// Runs libsolv's solver within the limit. Blocks.
    ///
    /// If it throws, the solver can only be freed, and its pool should not be used for anything else.
    /// - Returns: Whether all of `jobs` could be done; else the solver tells the problems.
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
