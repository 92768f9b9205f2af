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
                preparation: Self.preparation,
                statement: { [known] in "EXECUTE changes(\(known.position.withLock(\.self).map(String.init) ?? "NULL"))" },
                answer: { [known] texts in
                    for text in texts {
                        guard let last = LastEvent(text) else {
                            if let change = Change(.notified(payload: text)) { observer(change) }
                            continue
                        }
                        let isFirst = known.position.withLock { exchange(&$0, with: last.position) } == nil
                        if isFirst || last.isFar { observer(.any) }
                    }
                }))
    }

    /// Prepares `changes(N)`, which returns the composes whose state has changed since the event at the
    /// position N. The changes are notified after their commits, so the events have to be looked at. The
    /// last row is a ``LastEvent``.
    ///
    /// Frontends ask it many times a second, so it is planned once for every N. The second limit of the
    /// position makes an index the best plan.
    private static let preparation = """
        SET plan_cache_mode = force_generic_plan;
        PREPARE changes(bigint) AS
            SELECT 'compose ' || compose_id FROM events WHERE position IS NULL AND compose_id IS NOT NULL
            UNION ALL
            SELECT 'compose ' || compose_id FROM events WHERE position > $1 AND position <= $1 + 1000 AND compose_id IS NOT NULL
            UNION ALL
            SELECT 'events ' || position || CASE WHEN position <= $1 + 1000 THEN '' ELSE ' far' END FROM event_clock
        """

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

/// The last event that has a position, in an answer of the database: `events 57`, or `events 2057 far`
/// if there are so many events after the known one that they were not looked at.
private struct LastEvent {
    let position: Int
    let isFar: Bool

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count >= 2, words[0] == "events", let position = Int(words[1]) else { return nil }
        self.position = position
        isFar = words.last == "far"
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
