import ComposeModel
import ComposeStore
import ForeignText
import HTTPTypes
import Hummingbird
import ImageModel

/// The query of `/api/1/events`: which events, and from which position on. Example:
/// `after=41&owner=osbs&state=done&wait=30`.
struct EventQuery: Sendable {
    /// The longest time that a request can wait for an event, in seconds.
    static let longestWait = 60
    private static let (defaultLimit, maximumLimit) = (100, 1000)

    var filter = EventFilter()
    /// The position of the last event that the reader has. `nil` means that it begins with the next one.
    var after: Int?
    /// The name of the parameter or header that has the position.
    private(set) var nameOfAfter = "after"
    var limit = EventQuery.defaultLimit
    /// The time to wait for an event, in seconds.
    var wait = 0

    /// - Parameter lastEventID: The value of the header `Last-Event-ID`. It comes before `after`, because a
    ///   browser connects again with the same address.
    init(_ query: String?, lastEventID: String?) throws(RequestRejection) {
        var kinds: Set<StoredEvent.Kind> = []
        for (key, value) in try QueryItems(query).items where !value.isEmpty {
            switch key {
            case "after": after = try QueryItems.number(value, key, from: 0)
            case "limit": limit = min(try QueryItems.number(value, key, from: 1), Self.maximumLimit)
            case "wait": wait = min(try QueryItems.number(value, key, from: 0), Self.longestWait)
            case "compose": filter.compose = try QueryItems.number(value, key, from: 1)
            case "watch": filter.watch = try QueryItems.number(value, key, from: 1)
            case "owner": filter.owners.insert(value)
            case "state": filter.states.insert(try Self.state(value))
            case "source_type": filter.sourceTypes.insert(try Self.sourceType(value))
            case "kind": kinds.insert(try Self.kind(value))
            default: break
            }
        }
        if !kinds.isEmpty { filter.kinds = kinds }
        guard let lastEventID else { return }
        guard let number = Int(lastEventID), number >= 0 else {
            throw .badRequest(
                "Last-Event-ID must be the id of an event of this stream, such as 41, not \(lastEventID.quoted). Without it, the stream "
                    + "begins with the next event.")
        }
        (after, nameOfAfter) = (number, "Last-Event-ID")
    }

    private static func state(_ text: String) throws(RequestRejection) -> String {
        let names = ComposeState.allCases.map(\.name) + BuildState.allCases.map(\.name)
        guard names.contains(text) else {
            throw .badRequest("state cannot be \(text.quoted). Use one of these: \(Set(names).sorted().joined(separator: ", ")).")
        }
        return text
    }

    private static func sourceType(_ text: String) throws(RequestRejection) -> SourceType {
        guard let type = SourceType(name: text) else {
            throw .badRequest(
                "source_type cannot be \(text.quoted). Use one of these: \(SourceType.allCases.map(\.name).joined(separator: ", ")).")
        }
        return type
    }

    private static func kind(_ text: String) throws(RequestRejection) -> StoredEvent.Kind {
        guard let kind = StoredEvent.Kind(rawValue: text) else {
            let kinds = StoredEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("kind cannot be \(text.quoted). Use one of these: \(kinds).")
        }
        return kind
    }
}

extension HTTPField.Name {
    static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
