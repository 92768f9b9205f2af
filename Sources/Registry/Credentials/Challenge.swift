import ForeignText

/// A *challenge* is one entry of the header `WWW-Authenticate`: a scheme with parameters (RFC 9110,
/// section 11.6.1). Example: `Bearer realm="https://auth.example.org/token",service="r.example.org"`.
struct Challenge: Hashable, Sendable {
    /// In lower case, for example `bearer`.
    let scheme: String
    /// The names are in lower case.
    let parameters: [String: String]

    private static let mostBytes = 8192

    /// Reads all challenges of a header. A header that is too long or has another form gives those before
    /// the mistake.
    static func all(in headers: [String]) -> [Challenge] {
        var found: [Challenge] = []
        for header in headers where header.utf8.count <= mostBytes && header.isVisibleASCII {
            var reader = Reader(rest: header[...])
            found += reader.challenges()
        }
        return found
    }

    private struct Reader {
        var rest: Substring

        mutating func challenges() -> [Challenge] {
            var found: [Challenge] = []
            var (scheme, parameters): (String?, [String: String]) = (nil, [:])
            while true {
                rest = rest.drop { $0 == " " || $0 == "," }
                let word = rest.prefix { $0 != " " && $0 != "," && $0 != "=" }
                guard !word.isEmpty else { break }
                rest = rest[word.endIndex...]
                if rest.first == "=", scheme != nil {
                    rest = rest.dropFirst()
                    guard let value = value() else { break }
                    parameters[word.lowercased()] = value
                } else {
                    if let scheme { found.append(Challenge(scheme: scheme, parameters: parameters)) }
                    (scheme, parameters) = (word.lowercased(), [:])
                }
            }
            if let scheme { found.append(Challenge(scheme: scheme, parameters: parameters)) }
            return found
        }

        /// Reads a token or a quoted string.
        private mutating func value() -> String? {
            guard rest.first == "\"" else {
                let token = rest.prefix { $0 != "," && $0 != " " }
                rest = rest[token.endIndex...]
                return String(token)
            }
            var value = ""
            var isEscaped = false
            for index in rest.indices.dropFirst() {
                switch rest[index] {
                case let character where isEscaped:
                    value.append(character)
                    isEscaped = false
                case "\\": isEscaped = true
                case "\"":
                    rest = rest[rest.index(after: index)...]
                    return value
                case let character: value.append(character)
                }
            }
            return nil
        }
    }
}
