import ForeignText
import Foundation

/// The keys and values of a URL's query, decoded, in the order of the query.
struct QueryItems {
    let items: [(key: String, value: String)]

    init(_ query: String?) throws(RequestRejection) {
        var items: [(key: String, value: String)] = []
        for part in (query ?? "").split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = pair.map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let key = decoded[0], let value = decoded.count == 2 ? decoded[1] : "" else {
                throw .badRequest("The query has \(part.quoted), which is not percent-encoded UTF-8.")
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
