import ComposeModel
import ForeignText
import Foundation

/// Which distributions are asked for in one list of Pulp 3: a parameter of its query.
///
/// Alternatives between labels can only be written in Pulp's language for `q`, whose expressions may have a complexity of 8: one for each filter
/// and one for each `AND` or `OR`. (pulpcore's guide "Use Complex Filtering".) Several parameters `pulp_label_select` are no alternative: the
/// last one counts alone.
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
    /// Bytes of names in one query: Pulp's own HTTP server takes 4094 for the whole line of a request, and a byte may become three.
    private static let bytes = 1000
    /// Names in one `name__in`.
    private static let names = 100

    /// The distributions that have one of these content sets.
    static func contentSets(_ names: [String], publishedOnly: Bool) throws(ComposeFailure) -> [Pulp3Filter] {
        for name in names { try check(name) }
        // One for the OR; where only what is published counts, two for that filter and the AND.
        return batches(names, most: complexity - (publishedOnly ? 3 : 1)).map { batch in
            let alternatives = batch.map { label("content_set", $0) }.joined(separator: " OR ")
            guard publishedOnly else { return Pulp3Filter("q", alternatives) }
            return Pulp3Filter(
                "q", (batch.count == 1 ? alternatives : "(\(alternatives))") + " AND " + label("include_in_download_service", "True"))
        }
    }

    /// The distributions that have one of these names.
    static func names(_ names: [String]) throws(ComposeFailure) -> [Pulp3Filter] {
        for name in names { try check(name) }
        return batches(names, most: Self.names).map { Pulp3Filter("name__in", $0.joined(separator: ",")) }
    }

    private static func label(_ key: String, _ value: String) -> String { "pulp_label_select='\(key)=\(value)'" }

    /// Neither list can escape anything: a comma ends a value in both, a quote or a backslash the text in `q`; a label never has parentheses.
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
