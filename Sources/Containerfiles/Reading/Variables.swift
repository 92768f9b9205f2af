/// *Variables* are the values that `$x` stands for in an instruction: those of ARG and ENV.
public struct Variables: Hashable, Sendable {
    public var values: [String: String]

    public init(_ values: [String: String] = [:]) {
        self.values = values
    }

    /// An *expanded word* has its variables replaced and its quotes removed.
    public struct Expanded: Hashable, Sendable {
        public let text: String
        /// The names of the variables that have no value here. They were replaced by nothing.
        public let unknown: [String]
    }

    /// The reason why a word cannot be expanded. It completes the sentence that begins with the word.
    public struct Failure: Error, Hashable, Sendable {
        public let reason: String

        public init(reason: String) {
            self.reason = reason
        }
    }

    /// The maximum length of an expanded word in bytes. Values that name each other would double it at
    /// each step.
    private static let mostBytes = 65536
    private static let mostDepth = 16

    /// Returns a word with its variables replaced, as a shell does: `$x`, `${x}`, `${x:-default}`,
    /// `${x-default}`, `${x:+instead}` and `${x+instead}`. Single quotes keep a text as it is.
    public func expand(_ word: String, escape: Unicode.Scalar = "\\") throws(Failure) -> Expanded {
        try expand(word, escape: escape, isLiteral: false)
    }

    /// - Parameter isLiteral: Whether `$` has no meaning, so that only quotes are removed.
    func expand(_ word: String, escape: Unicode.Scalar, isLiteral: Bool) throws(Failure) -> Expanded {
        var expansion = Expansion(variables: self, escape: escape, isLiteral: isLiteral, rest: Array(word.unicodeScalars)[...])
        let text = try expansion.text(until: nil, depth: 0)
        return Expanded(text: text, unknown: expansion.unknown)
    }

    private struct Expansion {
        let variables: Variables
        let escape: Unicode.Scalar
        let isLiteral: Bool
        var rest: ArraySlice<Unicode.Scalar>
        var unknown: [String] = []

        /// Expands up to the character `end`, which is taken too, or to the end of the word.
        mutating func text(until end: Unicode.Scalar?, depth: Int) throws(Failure) -> String {
            guard depth <= Variables.mostDepth else { throw Failure(reason: "has variables in variables too deep") }
            var text = ""
            var isInDoubleQuotes = false
            while let scalar = rest.popFirst() {
                if scalar == end, !isInDoubleQuotes { return text }
                switch scalar {
                case "'" where !isInDoubleQuotes:
                    while let literal = rest.popFirst(), literal != "'" { text.unicodeScalars.append(literal) }
                case "\"": isInDoubleQuotes.toggle()
                case escape:
                    guard let escaped = rest.popFirst() else { break }
                    if isInDoubleQuotes, escaped != "\"", escaped != "$", escaped != escape { text.unicodeScalars.append(scalar) }
                    text.unicodeScalars.append(escaped)
                case "$" where !isLiteral: text += try value(depth: depth)
                default: text.unicodeScalars.append(scalar)
                }
                guard text.utf8.count <= Variables.mostBytes else {
                    throw Failure(reason: "is longer than \(Variables.mostBytes) bytes when its variables are replaced")
                }
            }
            if end != nil { throw Failure(reason: "has a ${ without }") }
            return text
        }

        /// Returns the value for the text after a `$`.
        private mutating func value(depth: Int) throws(Failure) -> String {
            guard rest.first == "{" else {
                let name = takeName()
                return name.isEmpty ? "$" : resolve(name)
            }
            rest.removeFirst()
            let name = takeName()
            guard !name.isEmpty else { throw Failure(reason: "has a ${ without a name") }
            var operation = rest.popFirst()
            if operation == "}" { return resolve(name) }
            let countsEmpty = operation == ":"
            if countsEmpty { operation = rest.popFirst() }
            guard operation == "-" || operation == "+" else {
                throw Failure(reason: "has a change of \(name) that is not supported, only ${\(name):-…} and ${\(name):+…} are")
            }
            let outer = unknown
            let other = try text(until: "}", depth: depth + 1)
            let value = variables.values[name]
            let isSet = value.map { !(countsEmpty && $0.isEmpty) } ?? false
            if operation == "+" {
                if !isSet { unknown = outer }
                return isSet ? other : ""
            }
            if isSet { unknown = outer }
            return isSet ? value ?? "" : other
        }

        private mutating func resolve(_ name: String) -> String {
            if let value = variables.values[name] { return value }
            unknown.append(name)
            return ""
        }

        private mutating func takeName() -> String {
            var name = ""
            while let scalar = rest.first, scalar.isASCII,
                scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            {
                name.unicodeScalars.append(scalar)
                rest.removeFirst()
            }
            return name
        }
    }
}
