import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird

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
        throw .badRequest("state is \(text.quoted), which is no state; these are: \(states).")
    }

    private static func order(_ text: String) throws(RequestRejection) -> ComposeQuery.Order {
        let descending = text.hasPrefix("-")
        let name = String(text.dropFirst(descending ? 1 : 0))
        guard let field = ComposeQuery.OrderField(rawValue: name) else {
            let fields = NearestNames(names: ComposeQuery.OrderField.contractOrder.map(\.rawValue)).sorted(by: name)
            throw .badRequest(
                "order_by is \(text.quoted), by which no list can be ordered; these are possible, a leading - for descending: "
                    + "\(fields.joined(separator: ", ")).")
        }
        return .init(field: field, descending: descending)
    }
}

/// The keys and values of a URL's query, decoded, in the order of the query.
struct QueryItems {
    let items: [(key: String, value: String)]

    init(_ query: String?) throws(RequestRejection) {
        var items: [(key: String, value: String)] = []
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = pair.map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let key = decoded[0], let value = decoded.count == 2 ? decoded[1] : "" else {
                throw .badRequest("The query has \(part.quoted), whose percent signs do not stand for text in UTF-8.")
            }
            guard key.isStreamSafe, value.isStreamSafe else {
                throw .badRequest("The query has a text with more than 30 combining marks in a row, as no language has them.")
            }
            guard !value.utf8.contains(0) else {
                throw .badRequest("\(key.printable(most: 40)) contains U+0000, which no compose does.")
            }
            items.append((key, value))
        }
        self.items = items
    }

    static func number(_ text: String, _ key: String, from minimum: Int) throws(RequestRejection) -> Int {
        guard let number = Int(text), number >= minimum else {
            throw .badRequest("\(key) must be an integer from \(minimum) on, not \(text.quoted).")
        }
        return number
    }
}

extension ComposeQuery.OrderField {
    fileprivate static let contractOrder: [Self] = [
        .id, .owner, .sourceType, .kojiEvent, .state, .timeToExpire, .timeSubmitted, .timeDone, .timeRemoved,
    ]
}

/// A list document is a page of a list in the form of the API's contract.
struct ListDocument<Item: Sendable>: Sendable {
    fileprivate struct Meta: Sendable {
        let page: Int
        let pages: Int
        let perPage: Int
        let total: Int
        let first: String
        let last: String
        let prev: String?
        let next: String?
    }

    private let meta: Meta
    private let items: [Item]

    /// - Parameters:
    ///   - items: The items on the page `number`.
    ///   - total: The number of items on all pages.
    ///   - asked: The query's keys and values. The links to other pages keep them.
    ///   - url: The list's own URL, without a query.
    init(_ items: [Item], page number: Int, perPage: Int, total: Int, asked: [(key: String, value: String)], url: String) {
        let pages = (total + perPage - 1) / perPage
        let kept = asked.filter { !["page", "per_page"].contains($0.key) }
        func link(_ page: Int) -> String {
            let items = kept + [("page", "\(page)"), ("per_page", "\(perPage)")]
            return url + "?" + items.map { "\($0.key.percentEncoded)=\($0.value.percentEncoded)" }.joined(separator: "&")
        }
        meta = Meta(
            page: number, pages: pages, perPage: perPage, total: total, first: link(1), last: link(max(pages, 1)),
            prev: number > 1 ? link(min(number - 1, max(pages, 1))) : nil, next: number < pages ? link(number + 1) : nil)
        self.items = items
    }

    /// Writes the document. Members are in the order of their names.
    func write(to json: inout JSONWriter, item: (inout JSONWriter, Item) throws -> Void) rethrows {
        try json.object { json in
            json.name("items")
            try json.array(items, item)
            json.name("meta")
            meta.write(to: &json)
        }
    }
}

extension ListDocument.Meta {
    /// Writes the position of the page. On the first page `prev` is null, and on the last page `next` is
    /// null.
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            func link(_ name: String, _ value: String?) {
                json.name(name)
                if let value { json.string(value) } else { json.null() }
            }
            json.member("first", first)
            json.member("last", last)
            link("next", next)
            json.member("page", page)
            json.member("pages", pages)
            json.member("per_page", perPage)
            link("prev", prev)
            json.member("total", total)
        }
    }
}
