public import ComposeModel

/// A watch query selects the watches of a list, the newest first. A member that is `nil` filters
/// nothing.
public struct WatchQuery: Hashable, Sendable {
    public var owner: String?
    /// Whether the list includes watches that have ended.
    public var includesEnded = false
    /// The number of the page, counted from 1.
    public var page: Int?
    public var perPage: Int?

    public init() {}

    var items: [(name: String, value: String)] {
        let all: [(String, String?)] = [
            ("page", page.map(String.init)), ("per_page", perPage.map(String.init)), ("owner", owner),
            ("include_ended", includesEnded ? "true" : nil),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}

/// One page of watches.
public struct WatchList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [WatchDocument]
}
