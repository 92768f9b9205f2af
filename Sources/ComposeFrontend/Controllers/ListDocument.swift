import ComposeModel
import ForeignText

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
        try write(to: &json, item: item) { _ in }
    }

    /// Writes the document with further members, whose names come after `meta`.
    func write(
        to json: inout JSONWriter, item: (inout JSONWriter, Item) throws -> Void, more: (inout JSONWriter) throws -> Void
    ) rethrows {
        try json.object { json in
            json.name("items")
            try json.array(items, item)
            json.name("meta")
            meta.write(to: &json)
            try more(&json)
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
