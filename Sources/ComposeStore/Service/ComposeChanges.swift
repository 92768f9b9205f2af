public import Postgres
import Synchronization

/// *Compose changes* are the changes of the database that answers about composes show. Triggers of
/// schema.sql announce them in the transaction of the change.
public struct ComposeChanges: Sendable {
    /// The composes that a change concerns.
    public enum Change: Hashable, Sendable {
        case compose(Int)
        /// Every compose that shows the result with this id.
        case result(Int)
        /// Any composes. Earlier changes may not have been announced.
        case any
    }

    private let listener: PostgresListener
    private let schema: String
    private let known = KnownPosition()

    /// - Parameter listener: It listens on ``channels(schema:)``.
    public init(listener: PostgresListener, schema: String) {
        self.listener = listener
        self.schema = schema
    }

    /// The channels that the database announces changes on: that of the schema for changes of the state,
    /// and another one.
    public static func channels(schema: String) -> [String] { [schema, "\(schema)_changes"] }

    /// Calls `observer` with each change, in the order of the transactions. It must be quick.
    ///
    /// - Precondition: The listener does not run yet.
    public func observe(_ observer: @escaping @Sendable (Change) -> Void) {
        for channel in Self.channels(schema: schema) {
            listener.observe(channel) { [known] notification in
                known.note(notification)
                if let change = Change(notification) { observer(change) }
            }
        }
        listener.ask(
            .init(
                statement: { [known] in Self.changes(after: known.position.withLock(\.self)) },
                answer: { [known] texts in
                    for text in texts {
                        if let position = text.split(separator: " ").last.flatMap({ Int($0) }), text.hasPrefix("events ") {
                            if known.position.withLock({ exchange(&$0, with: position) }) == nil { observer(.any) }
                        } else if let change = Change(.notified(payload: text)) {
                            observer(change)
                        }
                    }
                }))
    }

    /// Returns a query for the composes whose state has changed since the event at a position. The changes
    /// are notified after their commits, so the events have to be looked at. The last row is `events N`
    /// with the position of the last event.
    ///
    /// - Parameter position: `nil` if it is not known.
    private static func changes(after position: Int?) -> String {
        let last = "SELECT 'events ' || position FROM event_clock"
        guard let position else { return last }
        return """
            SELECT 'compose ' || compose_id FROM events WHERE position IS NULL AND compose_id IS NOT NULL
            UNION SELECT 'compose ' || compose_id FROM events WHERE position > \(position) AND compose_id IS NOT NULL
            UNION ALL \(last)
            """
    }

    /// Waits until the observer knows every change that was committed before the call.
    ///
    /// - Returns: `false` if changes may be missing, because the listener has no connection.
    public func catchUp() async -> Bool { await listener.catchUp() }
}

extension ComposeChanges.Change {
    /// Reads a notification such as `2 17` (compose 17 is done now), `compose 17` or `result 17`. Returns
    /// `nil` for one about something else, such as `build 2 17`.
    init?(_ notification: PostgresNotification) {
        guard case .notified(let payload) = notification else {
            self = .any
            return
        }
        let words = payload.split(separator: " ")
        guard words.count == 2, let id = Int(words[1]) else { return nil }
        switch words[0] {
        case "result": self = .result(id)
        case "compose": self = .compose(id)
        default:
            guard Int(words[0]) != nil else { return nil }
            self = .compose(id)
        }
    }
}

/// The position of the last event that an observer knows. It is `nil` until it was asked for.
private final class KnownPosition: Sendable {
    let position = Mutex<Int?>(nil)

    /// Notes a notification that the observer gets now. All changes up to the event of `events 57` were
    /// notified before it.
    func note(_ notification: PostgresNotification) {
        position.withLock { position in
            guard case .notified(let payload) = notification else {
                // Events may have been missed, so the position is not known any more.
                position = nil
                return
            }
            guard payload.hasPrefix("events "), let known = position, let last = Int(payload.dropFirst("events ".count)) else { return }
            position = max(known, last)
        }
    }
}
