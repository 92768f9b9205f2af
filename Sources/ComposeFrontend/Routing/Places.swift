import HTTPTypes
import Synchronization

/// The places for work that costs much and that anyone may ask for. A request without a place is
/// refused, so such requests cannot keep the whole server busy.
final class Places: Sendable {
    private let taken = Mutex(0)
    private let most: Int
    /// The work at a place, as the beginning of a sentence. Example: `Other composes are being compared`.
    private let what: String

    /// - Parameter most: The number of places.
    init(most: Int, _ what: String) {
        self.most = most
        self.what = what
    }

    /// Does work at a place.
    ///
    /// - Throws: ``RequestRejection`` with status 503 if no place is free.
    func with<Result>(_ work: () async throws -> Result) async throws -> Result {
        let isFree = taken.withLock { taken in
            guard taken < most else { return false }
            taken += 1
            return true
        }
        guard isFree else {
            throw RequestRejection(.serviceUnavailable, "\(what). Try again in a moment.", headers: [.retryAfter: "2"])
        }
        defer { taken.withLock { $0 -= 1 } }
        return try await work()
    }
}
