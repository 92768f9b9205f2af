import Identity
import Synchronization

/// *Identity failures* count the credentials that identity providers have refused, and know which
/// providers cannot be asked.
final class IdentityFailures: Sendable {
    enum Reason: String, CaseIterable {
        case malformed, wrong, forbidden, unavailable
    }

    /// The failures of one provider.
    struct Count {
        var failures: [Reason: Int] = [:]
        /// Whether the last credentials could be checked.
        var isUp = true
    }

    private let counts = Mutex<[String: Count]>([:])

    subscript(provider: String) -> Count { counts.withLock { $0[provider] ?? Count() } }

    func recordAnswer(of provider: String) {
        counts.withLock { $0[provider, default: Count()].isUp = true }
    }

    func record(_ failure: CredentialFailure, of provider: String) {
        let reason: Reason =
            switch failure {
            case .malformed: .malformed
            case .wrong: .wrong
            case .forbidden: .forbidden
            case .unavailable: .unavailable
            }
        counts.withLock { counts in
            counts[provider, default: Count()].failures[reason, default: 0] += 1
            counts[provider]?.isUp = reason != .unavailable
        }
    }
}
