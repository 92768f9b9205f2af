import ComposeModel
import ForeignText
import Foundation

/// A *filter* selects the distributions of one list of Pulp 3. It is a parameter of the list's query.
///
/// Only Pulp's language for `q` can express alternatives between labels. An expression may have a
/// complexity of 8: one for each filter and one for each `AND` or `OR` (pulpcore's guide "Use Complex
/// Filtering"). Several parameters `pulp_label_select` do not express alternatives, because only the
/// last one counts.
struct Pulp3Filter: Hashable, Sendable {
    let parameter: (name: String, value: String)

    private init(_ name: String, _ value: String) { parameter = (name, value) }

    static func == (first: Self, second: Self) -> Bool { first.parameter == second.parameter }

    func hash(into hasher: inout Hasher) {
        hasher.combine(parameter.name)
        hasher.combine(parameter.value)
    }

    /// The highest complexity that Pulp accepts.
    private static let complexity = 8
    /// The maximum number of bytes for names in one query. Pulp's own HTTP server accepts request lines of
    /// 4094 bytes, and one byte may become three.
    private static let bytes = 1000
    /// The maximum number of names in one `name__in`.
    private static let names = 100

    /// Returns the filters for all distributions that have one of these content sets. Throws
    /// `.sourceNotUsable` for a name that a query cannot carry.
    ///
    /// - Parameter publishedOnly: Whether to leave out distributions that Pulp has not published
    ///   (`include_in_download_service`).
    static func contentSets(_ names: [String], publishedOnly: Bool) throws(ComposeFailure) -> [Pulp3Filter] {
        for name in names { try check(name) }
        // The OR costs one. If only published distributions count, their filter and the AND cost two more.
        return batches(names, most: complexity - (publishedOnly ? 3 : 1)).map { batch in
            let alternatives = batch.map { label("content_set", $0) }.joined(separator: " OR ")
            guard publishedOnly else { return Pulp3Filter("q", alternatives) }
            return Pulp3Filter(
                "q", (batch.count == 1 ? alternatives : "(\(alternatives))") + " AND " + label("include_in_download_service", "True"))
        }
    }

    /// Returns the filters for all distributions with one of these names. Throws `.sourceNotUsable` for a
    /// name that a query cannot carry.
    static func names(_ names: [String]) throws(ComposeFailure) -> [Pulp3Filter] {
        for name in names { try check(name) }
        return batches(names, most: Self.names).map { Pulp3Filter("name__in", $0.joined(separator: ",")) }
    }

    private static func label(_ key: String, _ value: String) -> String { "pulp_label_select='\(key)=\(value)'" }

    /// Throws `.sourceNotUsable` for a name that Pulp's queries cannot carry.
    ///
    /// Neither `q` nor `name__in` has escapes. A comma ends a value in both. A quote or a backslash ends
    /// the text in `q`. A label never has parentheses.
    static func check(_ name: String) throws(ComposeFailure) {
        guard
            let wrong = name.unicodeScalars.first(where: {
                ",'\"\\()".unicodeScalars.contains($0) || $0.properties.isWhitespace || $0.isInvisible
            })
        else { return }
        let what =
            switch wrong {
            case ",": "a comma"
            case "'", "\"": "a quotation mark"
            case "\\": "a backslash"
            case "(", ")": "a parenthesis"
            default: "a space or a control character"
            }
        throw ComposeFailure(
            .sourceNotUsable,
            "\(name.shown) cannot be looked up in Pulp: it contains \(what), which Pulp's queries cannot carry. "
                + "Names in a request are separated by spaces, and the repositories of such a content set can be named one by one.")
    }

    private static func batches(_ names: [String], most: Int) -> [[String]] {
        var batches: [[String]] = []
        var size = 0
        for name in names {
            if let last = batches.last, last.count < most, size + name.utf8.count <= bytes {
                batches[batches.count - 1].append(name)
                size += name.utf8.count
            } else {
                batches.append([name])
                size = name.utf8.count
            }
        }
        return batches
    }
}
