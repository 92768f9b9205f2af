import Synchronization

/// The *waiting owners* of a worker are the owners of composes that the worker may claim, as they were
/// a moment ago.
///
/// To find them costs one look at the queue for each owner, so they are kept for a number of claims
/// that grows with the number of owners. An owner that is new meanwhile waits for at most that many
/// claims of each worker. Claims look at the composes themselves, so an owner without composes does no
/// harm.
final class WaitingOwners: Sendable {
    private struct Known {
        let worker: String
        let owners: [String]
        var claims: Int
        let end: ContinuousClock.Instant
    }

    private let known = Mutex<Known?>(nil)

    /// Returns the owners for the next claim of the worker. Returns `nil` if they must be found first.
    func next(of worker: String) -> [String]? {
        known.withLock { known in
            guard known?.worker == worker, let claims = known?.claims, claims > 0, let end = known?.end, .now < end else {
                known = nil
                return nil
            }
            known?.claims = claims - 1
            return known?.owners
        }
    }

    /// Keeps the owners that were found for a claim of the worker.
    func keep(_ owners: [String], of worker: String) {
        let claims = max(8, owners.count / 8)
        known.withLock { $0 = Known(worker: worker, owners: owners, claims: claims - 1, end: .now + .seconds(1)) }
    }

    func forget() { known.withLock { $0 = nil } }
}
