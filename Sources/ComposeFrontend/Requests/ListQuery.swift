import ComposeModel
import ComposeStore
import ForeignText

/// The query of a list: filters, order and page. Unknown keys are ignored, and so are filters without a
/// value. Example: `state=done&owner=me&order_by=-id`.
struct ListQuery: Sendable {
    /// Every key and value of the query, decoded, in the order of the query.
    let items: [(key: String, value: String)]
    let composes: ComposeQuery

    init(_ query: String?, perPage limits: (default: Int, maximum: Int)) throws(RequestRejection) {
        items = try QueryItems(query).items
        var composes = ComposeQuery()
        composes.perPage = limits.default
        var order: [ComposeQuery.Order] = []
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "owner": composes.owners.append(value)
            case "source_type": composes.sourceTypes.append(try Self.sourceType(value))
            case "source": composes.sources.append(value.split(whereSeparator: \.isWhitespace).joined(separator: " "))
            case "state": composes.states.append(try Self.state(value))
            case "koji_task_id": composes.kojiTaskIDs.append(try QueryItems.number(value, key, from: 0))
            case "pungi_compose_id": composes.pungiComposeIDs.append(value)
            case "compose_type": composes.composeTypes.append(value)
            case "label": composes.labels.append(value)
            case "order_by": order.append(try Self.order(value))
            case "page": composes.page = try QueryItems.number(value, key, from: 1)
            case "per_page": composes.perPage = min(try QueryItems.number(value, key, from: 1), limits.maximum)
            default: break
            }
        }
        if !order.isEmpty { composes.order = order }
        self.composes = composes
    }

    private static func sourceType(_ text: String) throws(RequestRejection) -> SourceType {
        if let type = SourceType(name: text) { return type }
        let types = SourceType.allCases.map { "\($0.rawValue) or \($0.name)" }.joined(separator: ", ")
        throw .badRequest("source_type is \(text.quoted), which is no source type; these are: \(types).")
    }

    private static func state(_ text: String) throws(RequestRejection) -> ComposeState {
        if let state = ComposeState(name: text) { return state }
        let states = ComposeState.allCases.map { "\($0.rawValue) or \($0.name)" }.joined(separator: ", ")
        throw .badRequest("state cannot be \(text.quoted). Use one of these: \(states).")
    }

    private static func order(_ text: String) throws(RequestRejection) -> ComposeQuery.Order {
        let descending = text.hasPrefix("-")
        let name = String(text.dropFirst(descending ? 1 : 0))
        guard let field = ComposeQuery.OrderField(rawValue: name) else {
            let fields = NearestNames(names: ComposeQuery.OrderField.contractOrder.map(\.rawValue)).sorted(by: name)
            throw .badRequest(
                "order_by cannot be \(text.quoted). Use one of these, with a leading - for descending order: "
                    + "\(fields.joined(separator: ", ")).")
        }
        return .init(field: field, descending: descending)
    }
}

extension ComposeQuery.OrderField {
    fileprivate static let contractOrder: [Self] = [
        .id, .owner, .sourceType, .kojiEvent, .state, .timeToExpire, .timeSubmitted, .timeDone, .timeRemoved,
    ]
}
