import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// The connections that are open, of which there may be so many at a time. If there are more, the connection goes that has waited longest for its
/// client to ask for something, so that clients which send nothing, or a byte now and then, keep nobody out.
final class ConnectionTable: Sendable {
    /// One connection.
    final class Entry: Sendable {
        fileprivate let channel: any Channel
        /// Since when the client has to send something, in nanoseconds of the clock of event loops; 0 while a request is answered.
        private let waitsSince: Synchronization.Atomic<UInt64>

        fileprivate init(_ channel: any Channel) {
            self.channel = channel
            waitsSince = Synchronization.Atomic(NIODeadline.now().uptimeNanoseconds)
        }

        /// The client has to send a request, or the rest of one.
        func waits() { waitsSince.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed) }

        /// A request is there as a whole, and is answered.
        func works() { waitsSince.store(0, ordering: .relaxed) }

        fileprivate var patience: UInt64? {
            let since = waitsSince.load(ordering: .relaxed)
            return since == 0 ? nil : since
        }
    }

    private let most: Int
    private let entries = NIOLockedValueBox<[ObjectIdentifier: Entry]>([:])

    init(most: Int) {
        self.most = most
    }

    /// How many connections are open.
    var count: Int { entries.withLockedValue(\.count) }

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
