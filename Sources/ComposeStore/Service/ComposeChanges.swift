public import Postgres

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
            listener.observe(channel) { notification in
                if let change = Change(notification) { observer(change) }
            }
        }
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
