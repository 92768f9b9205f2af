import Foundation
import NIOHTTP1
import SystemPackage

/// A Pulp 3 that has the recorded distributions, filters them as the real one was seen to, and refuses what the real one refuses.
struct PulpReplay: Sendable {
    /// Where the recorded one believed to be; its answers name it in `next`, so a client that follows that goes astray.
    static let recordedAt = "http://127.0.0.1:5583"
    private static let path = "/pulp/api/v3/distributions/rpm/rpm/"

    /// The value of `Authorization` that it wants; `nil` for an open one.
    var authorization: String?
    /// More distributions than the recorded ones, as JSON objects.
    var additional: [String] = []

    /// A recorded answer.
    static func recording(_ name: String) throws -> [UInt8] {
        try FilePath(#filePath).removingLastComponent().appending("PulpAnswers/\(name).json").contents()
    }

    /// The JSON of a distribution that was not recorded.
    static func distribution(_ name: String, labels: [String: String], url: String = "http://c/pulp/content/x/") -> String {
        let labels = labels.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
        return "{\"name\": \"\(name)\", \"base_url\": \"\(url)\", \"content_guard\": null, \"pulp_labels\": {\(labels)}}"
    }

    func answer(_ request: PulpHTTPServer.Request) -> PulpHTTPServer.Answer {
        do {
            if let authorization, request.headers.first(name: "authorization") != authorization {
                return PulpHTTPServer.Answer(status: 401, body: try Self.recording("unauthenticated"))
            }
            guard request.path == Self.path else { return PulpHTTPServer.Answer(status: 404, body: try Self.recording("404")) }
            return PulpHTTPServer.Answer(status: 200, body: try list(request.query))
        } catch let refusal as Refusal {
            return .json(refusal.body, status: 400)
        } catch {
            return .status(500)
        }
    }

    private struct Refusal: Error {
        let body: String
    }

    private typealias Distribution = [String: Any]

    private func list(_ query: [String: String]) throws -> [UInt8] {
        let recorded = try JSONSerialization.jsonObject(with: Data(try Self.recording("list-distributions"))) as? [String: Any]
        var found = recorded?["results"] as? [Distribution] ?? []
        found += try additional.compactMap { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? Distribution }
        for (name, value) in query where !["limit", "offset", "fields"].contains(name) {
            if name == "q" {
                var expression = Expression(value)
                let parsed = try expression.parse()
                guard parsed.complexity <= 8 else { throw Refusal(body: "{\"q\":[\"Filter expression exceeds allowed complexity.\"]}") }
                found = found.filter(parsed.matches)
            } else {
                found = found.filter(try Self.filter(name, value))
            }
        }
        let limit = query["limit"].flatMap { Int($0) } ?? 100
        let offset = query["offset"].flatMap { Int($0) } ?? 0
        let fields = query["fields"].map { Set($0.split(separator: ",").map(String.init)) }
        let page = found.dropFirst(offset).prefix(limit).map { distribution in
            fields.map { fields in distribution.filter { fields.contains($0.key) } } ?? distribution
        }
        let here = Self.recordedAt + Self.path + "?limit=\(limit)"
        let answer: [String: Any] = [
            "count": found.count, "results": page,
            "next": offset + limit < found.count ? "\(here)&offset=\(offset + limit)" : NSNull(),
            "previous": offset == 0 ? NSNull() : offset <= limit ? here : "\(here)&offset=\(offset - limit)",
        ]
        return Array(try JSONSerialization.data(withJSONObject: answer))
    }

    private static func filter(_ name: String, _ value: String) throws -> (Distribution) -> Bool {
        switch name {
        case "name": return { $0["name"] as? String == value }
        case "name__in":
            let names = value.split(separator: ",").map(String.init)
            return { names.contains($0["name"] as? String ?? "") }
        case "pulp_label_select":
            let terms = try value.split(separator: ",", omittingEmptySubsequences: false).map { term in
                guard let match = try #/(!?[\w-]+)(=|!=|~)?(.*)/#.prefixMatch(in: term) else {
                    throw Refusal(body: "[\"Invalid search term: '\(term)'.\"]")
                }
                guard !match.1.hasPrefix("!") || match.2 == nil else {
                    throw Refusal(body: "[\"Cannot use an operator with '\(match.1)'.\"]")
                }
                return (key: String(match.1), value: match.2 == "=" ? String(match.3) : nil)
            }
            return { distribution in
                let labels = distribution["pulp_labels"] as? [String: String] ?? [:]
                return terms.allSatisfy { term in
                    term.key.hasPrefix("!")
                        ? labels[String(term.key.dropFirst())] == nil
                        : term.value.map { labels[term.key] == $0 } ?? (labels[term.key] != nil)
                }
            }
        default: throw Refusal(body: "{\"errors\":[\"Invalid Filter: '\(name)'\"]}")
        }
    }

    /// Pulp's language for `q`, with its complexity: one for each filter, one for each row of `AND`s or `OR`s.
    private struct Expression {
        typealias Parsed = (complexity: Int, matches: (Distribution) -> Bool)

        private var rest: Substring

        init(_ text: String) { rest = Substring(text) }

        private static let syntaxError = Refusal(body: "{\"q\":[\"Syntax error in expression.\"]}")

        mutating func parse() throws -> Parsed {
            let parsed = try alternatives()
            skipSpace()
            guard rest.isEmpty else { throw Self.syntaxError }
            return parsed
        }

        private mutating func alternatives() throws -> Parsed {
            var parts = [try conjunction()]
            while take("OR") { parts.append(try conjunction()) }
            guard parts.count > 1 else { return parts[0] }
            return (parts.map(\.complexity).reduce(1, +), { distribution in parts.contains { $0.matches(distribution) } })
        }

        private mutating func conjunction() throws -> Parsed {
            var parts = [try operand()]
            while take("AND") { parts.append(try operand()) }
            guard parts.count > 1 else { return parts[0] }
            return (parts.map(\.complexity).reduce(1, +), { distribution in parts.allSatisfy { $0.matches(distribution) } })
        }

        private mutating func operand() throws -> Parsed {
            if take("(") {
                let inner = try alternatives()
                guard take(")") else { throw Self.syntaxError }
                return inner
            }
            skipSpace()
            guard let match = try #/([a-z_]+)='([^'\\\n\r]*)'|([a-z_]+)=([\w.,*-]+)/#.prefixMatch(in: rest) else { throw Self.syntaxError }
            rest = rest[match.range.upperBound...]
            return (1, try PulpReplay.filter(String(match.1 ?? match.3 ?? ""), String(match.2 ?? match.4 ?? "")))
        }

        private mutating func take(_ token: String) -> Bool {
            skipSpace()
            guard rest.hasPrefix(token) else { return false }
            rest = rest.dropFirst(token.count)
            return true
        }

        private mutating func skipSpace() { rest = rest.drop { $0 == " " } }
    }
}
