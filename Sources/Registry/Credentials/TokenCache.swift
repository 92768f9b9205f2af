import Synchronization

/// The authorization of requests that registries accepted lately, by host and scopes.
final class TokenCache: Sendable {
    struct Key: Hashable, Sendable {
        let origin: String
        /// For example `repository:team/web:pull`.
        let scopes: [String]
    }

    /// The most entries. If there are more, all are forgotten.
    private static let mostEntries = 10_000

    private struct Entry {
        let authorization: String
        let end: ContinuousClock.Instant
    }

    private let entries = Mutex<[Key: Entry]>([:])

    /// Returns the value of the header `Authorization`, or nil if none is known.
    subscript(_ key: Key) -> String? {
        entries.withLock { $0[key] }.flatMap { $0.end > .now ? $0.authorization : nil }
    }

    func keep(_ authorization: String, for time: Duration, _ key: Key) {
        entries.withLock { entries in
            if entries.count >= Self.mostEntries { entries.removeAll() }
            entries[key] = Entry(authorization: authorization, end: .now + time)
        }
    }

    func forget(_ key: Key) { entries.withLock { $0[key] = nil } }
}
