import Synchronization

/// The latest pins of repositories at addresses, with the versions that servers can confirm.
///
/// They are kept in memory only. After a restart of the service, each repomd.xml is sent once as a
/// whole.
final class KnownPins: Sendable {
    /// A pin, and the version of its repomd.xml at the server.
    struct Entry: Sendable {
        let pin: RepositoryPin
        let version: FileVersion
        /// The time when repomd.xml was sent.
        let received: ContinuousClock.Instant
    }

    /// The number of pins to keep. A worker reads few repositories again and again.
    private static let most = 256
    /// The maximum size in bytes of a repomd.xml that is kept. Real ones have a few thousand bytes.
    private static let largest = 64 << 10

    /// The entries in the order of their arrival. The latest one is last.
    private let entries: Mutex<[Entry]> = Mutex([])

    /// Returns the pin of `location`, unless its repomd.xml was sent longer ago than `age`.
    func find(_ location: RepositoryLocation, notOlderThan age: Duration) -> Entry? {
        let now = ContinuousClock.now
        return entries.withLock { entries in entries.last { $0.pin.location == location && now - $0.received < age } }
    }

    /// Keeps a pin that was just made, instead of the last one of the same location. A pin without a
    /// version only replaces the last one.
    func keep(_ pin: RepositoryPin, _ version: FileVersion?) {
        entries.withLock { entries in
            entries.removeAll { $0.pin.location == pin.location }
            guard let version, pin.repomd.map({ $0.count <= Self.largest }) ?? false else { return }
            entries.append(Entry(pin: pin, version: version, received: .now))
            if entries.count > Self.most { entries.removeFirst() }
        }
    }
}
