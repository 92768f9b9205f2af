public import ComposeModel

/// A compose query selects and orders the composes of a list. A member that is `nil` filters nothing.
public struct ComposeQuery: Hashable, Sendable {
    /// The keys that a list can be ordered by.
    public static let orders = [
        "id", "owner", "source_type", "koji_event", "state", "time_to_expire", "time_submitted", "time_done", "time_removed",
    ]

    /// The number of the page, counted from 1.
    public var page: Int?
    public var perPage: Int?
    public var owner: String?
    public var sourceType: SourceType?
    public var source: String?
    public var state: ComposeState?
    public var kojiTaskID: Int?
    public var pungiComposeID: String?
    public var composeType: String?
    public var label: String?
    /// One of ``orders``, with a leading `-` for descending order. The service's default is `-id`.
    public var order: String?

    public init() {}

    var items: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("page", page.map(String.init)), ("per_page", perPage.map(String.init)), ("owner", owner),
            ("source_type", sourceType.map { String($0.rawValue) }), ("source", source), ("state", state.map { String($0.rawValue) }),
            ("koji_task_id", kojiTaskID.map(String.init)), ("pungi_compose_id", pungiComposeID), ("compose_type", composeType),
            ("label", label), ("order_by", order),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
