import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// A connection table holds the open connections and bounds their number. When there are too many, it
/// closes the connection that has waited longest for its client to send something. Clients that send
/// nothing, or one byte now and then, therefore cannot keep others out.
final class ConnectionTable: Sendable {
    /// One connection.
    final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// The time since when the client has to send something, in nanoseconds of the event loops' clock. 0
        /// while a request is being answered.
        private let waitsSince: Synchronization.Atomic<UInt64>

        fileprivate init(_ channel: any Channel) {
            self.channel = channel
            waitsSince = Synchronization.Atomic(NIODeadline.now().uptimeNanoseconds)
        }

        /// Records that the client now has to send a request, or the rest of one.
        func waits() { waitsSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

        /// Records that a complete request has arrived and is being answered.
        func works() { waitsSince.store(0, ordering: .relaxed) }

        fileprivate var patience: UInt64? {
            let since = waitsSince.load(ordering: .relaxed)
            return since == 0 ? nil : since
        }
    }

    private let most: Int
    private let drains = Synchronization.Atomic(false)
    private let entries = NIOLockedValueBox<[ObjectIdentifier: Entry]>([:])

    init(most: Int) {
        self.most = most
    }

    /// The number of open connections.
    var count: Int { entries.withLockedValue(\.count) }

    /// Whether the server is about to stop. The next answer on a connection is its last one then.
    var isDraining: Bool { drains.load(ordering: .relaxed) }

    func drain() { drains.store(true, ordering: .relaxed) }

    func opened(_ channel: any Channel) -> Entry {
        let entry = Entry(channel)
        let surplus = entries.withLockedValue { entries -> Entry? in
            entries[ObjectIdentifier(entry)] = entry
            guard entries.count > most else { return nil }
            let longest = entries.values.filter { $0 !== entry && $0.patience != nil }.min { ($0.patience ?? 0) < ($1.patience ?? 0) }
            if let longest { entries[ObjectIdentifier(longest)] = nil }
            return longest
        }
        surplus?.channel.close(promise: nil)
        return entry
    }

    func closed(_ entry: Entry) {
        entries.withLockedValue { $0[ObjectIdentifier(entry)] = nil }
    }
}
