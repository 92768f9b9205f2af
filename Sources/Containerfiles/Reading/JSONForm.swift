/// The *JSON form* of an instruction is a list of texts, for example `["/bin/sh", "-c", "true"]`.
enum JSONForm {
    /// Returns the texts, or `nil` if the text is not a JSON list of texts.
    static func elements(of text: String) -> [String]? {
        var reader = Reader(rest: Array(text.unicodeScalars)[...])
        return reader.list()
    }

    private struct Reader {
        var rest: ArraySlice<Unicode.Scalar>

        mutating func list() -> [String]? {
            guard take("[") else { return nil }
            var elements: [String] = []
            if take("]") { return isAtEnd ? elements : nil }
            while true {
                guard let element = string() else { return nil }
                elements.append(element)
                if take("]") { return isAtEnd ? elements : nil }
                guard take(",") else { return nil }
            }
        }

        private var isAtEnd: Bool { rest.allSatisfy { $0 == " " || $0 == "\t" } }

        /// Skips blanks, and takes a character if it comes next.
        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard rest.first == scalar else { return false }
            rest.removeFirst()
            return true
        }

        private mutating func string() -> String? {
            guard take("\"") else { return nil }
            var text = ""
            while let scalar = rest.popFirst() {
                switch scalar {
                case "\"": return text
                case "\\":
                    guard let escaped = escape() else { return nil }
                    text.unicodeScalars.append(escaped)
                default:
                    guard scalar.value >= 0x20 else { return nil }
                    text.unicodeScalars.append(scalar)
                }
            }
            return nil
        }

        private mutating func escape() -> Unicode.Scalar? {
            switch rest.popFirst() {
            case "\"": "\""
            case "\\": "\\"
            case "/": "/"
            case "b": "\u{8}"
            case "f": "\u{C}"
            case "n": "\n"
            case "r": "\r"
            case "t": "\t"
            case "u": codePoint()
            default: nil
            }
        }

        private mutating func codePoint() -> Unicode.Scalar? {
            guard let first = unit() else { return nil }
            guard (0xD800..<0xDC00).contains(first) else { return Unicode.Scalar(first) }
            guard rest.popFirst() == "\\", rest.popFirst() == "u", let second = unit(), (0xDC00..<0xE000).contains(second) else {
                return nil
            }
            return Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        }

        private mutating func unit() -> UInt32? {
            let digits = rest.prefix(4)
            guard digits.count == 4, digits.allSatisfy(\.properties.isASCIIHexDigit) else { return nil }
            rest = rest.dropFirst(4)
            return digits.reduce(into: "") { $0.unicodeScalars.append($1) }.hexadecimal
        }
    }
}

extension String {
    fileprivate var hexadecimal: UInt32? { UInt32(self, radix: 16) }
}
