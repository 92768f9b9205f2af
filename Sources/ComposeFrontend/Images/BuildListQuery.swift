import ComposeStore
import ForeignText
import ImageModel

/// The query of the list of builds: filters and page. Unknown keys are ignored, and so are filters
/// without a value. Example: `image=3&state=wait&state=building`.
struct BuildListQuery: Sendable {
    /// Every key and value of the query, decoded, in the order of the query.
    let items: [(key: String, value: String)]
    let builds: BuildQuery

    init(_ query: String?, perPage limits: (default: Int, maximum: Int)) throws(RequestRejection) {
        items = try QueryItems(query).items
        var builds = BuildQuery()
        builds.perPage = limits.default
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "image": builds.images.append(try QueryItems.number(value, key, from: 0))
            case "rebuild": builds.rebuilds.append(try QueryItems.number(value, key, from: 0))
            case "owner": builds.owners.append(value)
            case "state": builds.states.append(try Self.state(value))
            case "page": builds.page = try QueryItems.number(value, key, from: 1)
            case "per_page": builds.perPage = min(try QueryItems.number(value, key, from: 1), limits.maximum)
            default: break
            }
        }
        self.builds = builds
    }

    private static func state(_ text: String) throws(RequestRejection) -> BuildState {
        if let state = BuildState.allCases.first(where: { $0.name == text || "\($0.rawValue)" == text }) { return state }
        let states = BuildState.allCases.map { "\($0.rawValue) or \($0.name)" }.joined(separator: ", ")
        throw .badRequest("state cannot be \(text.quoted). Use one of these: \(states).")
    }
}
