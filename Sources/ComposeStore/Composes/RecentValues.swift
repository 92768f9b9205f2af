import Synchronization

/// *Recent values* are values of the database that were read at most a second ago.
final class RecentValues<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry {
        let value: Value
        let end: ContinuousClock.Instant
    }

    /// The number of values that are kept before all of them are forgotten.
    private static var most: Int { 10_000 }

    private let entries = Mutex<[Key: Entry]>([:])

    subscript(key: Key) -> Value? { entry(key)?.value }

    /// Returns a value, and the time until which it is recent.
    func entry(_ key: Key) -> (value: Value, end: ContinuousClock.Instant)? {
        entries.withLock { entries in
            guard let entry = entries[key], .now < entry.end else { return nil }
            return (entry.value, entry.end)
        }
    }

    /// Keeps a value that was read after `begin`.
    ///
    /// - Returns: The time until which it is recent.
    @discardableResult func keep(_ value: Value, for key: Key, readAfter begin: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let end = begin + .seconds(1)
        entries.withLock { entries in
            if entries.count >= Self.most { entries = [:] }
            entries[key] = Entry(value: value, end: end)
        }
        return end
    }
}

/// A counter of changes. Something that was read before a change is no longer true after it.
final class ChangeCounter: Sendable {
    private let changes = Atomic(0)

    var value: Int { changes.load(ordering: .acquiring) }

    func add() { changes.add(1, ordering: .acquiringAndReleasing) }
}
