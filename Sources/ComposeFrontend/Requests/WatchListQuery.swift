import ForeignText

/// The query of the list of watches: filters and page. Unknown keys are ignored, and so are filters
/// without a value.
struct WatchListQuery: Sendable {
    /// Every key and value of the query, decoded, in the order of the query.
    let items: [(key: String, value: String)]
    private(set) var owner: String?
    private(set) var includesEnded = false
    private(set) var page = 1
    private(set) var perPage: Int

    init(_ query: String?, perPage limits: (default: Int, maximum: Int)) throws(RequestRejection) {
        items = try QueryItems(query).items
        perPage = limits.default
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "owner":
                guard owner == nil || owner == value else {
                    throw .badRequest("owner is there more than once; a list of watches is of one owner, or of all.")
                }
                owner = value
            case "include_ended": includesEnded = try Self.truth(value, key)
            case "page": page = try QueryItems.number(value, key, from: 1)
            case "per_page": perPage = min(try QueryItems.number(value, key, from: 1), limits.maximum)
            default: break
            }
        }
    }

    private static func truth(_ text: String, _ key: String) throws(RequestRejection) -> Bool {
        switch text {
        case "true", "1": true
        case "false", "0": false
        default: throw .badRequest("\(key) must be true or false, not \(text.quoted).")
        }
    }
}
