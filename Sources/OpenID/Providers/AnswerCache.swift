import Crypto
import Identity
import Synchronization

/// An answer cache keeps a provider's answers about tokens for a while. Its keys are digests, so the
/// memory of the process does not hold tokens longer than their requests.
///
/// Refusals are not kept. The text of a token can often be changed without a change of its meaning,
/// so a sender could fill the cache.
final class AnswerCache<Answer: Sendable>: Sendable {
    struct Key: Hashable, Sendable {
        fileprivate let digest: [UInt8]

        init(_ token: Secret) { digest = Array(SHA256.hash(data: Array(token.text.utf8))) }
    }

    private let most: Int
    private let entries = Mutex<[Key: (answer: Answer, end: Duration)]>([:])

    init(most: Int = 10_000) { self.most = most }

    func answer(for key: Key, now: Duration) -> Answer? {
        entries.withLock { entries in
            guard let entry = entries[key], now < entry.end else { return nil }
            return entry.answer
        }
    }

    func keep(_ answer: Answer, for key: Key, until end: Duration, now: Duration) {
        guard end > now else { return }
        entries.withLock { entries in
            if entries.count >= most { entries = entries.filter { now < $0.value.end } }
            // All entries are asked for again. This is simpler than an order of age, and as rare.
            if entries.count >= most { entries = [:] }
            entries[key] = (answer, end)
        }
    }
}
