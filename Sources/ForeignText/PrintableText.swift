extension StringProtocol {
    /// Returns the text in a form that can be shown anywhere: in a reason, a log, a page, on a terminal.
    ///
    /// Characters that control a terminal, break a line, turn the direction of text or show nothing are written as `U+009B`. Every
    /// text of a stranger passes through here before a person sees it.
    ///
    /// - Parameters:
    ///   - most: How many code points are kept; a text that is longer ends with `…`.
    ///   - keepingLines: Whether line feeds and tabs stay, for texts of several lines.
    public func printable(most: Int = .max, keepingLines: Bool = false) -> String {
        if utf8.count <= most, utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(self) }
        var shown = ""
        var count = 0
        for scalar in unicodeScalars {
            if count == most { return shown + "…" }
            count += 1
            if scalar.isInvisible, !(keepingLines && (scalar == "\n" || scalar == "\t")) {
                shown += scalar.codePoint
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// Returns a JSON document with the escape `\u009B` for each character in it that shows nothing, so that a terminal can show the document.
    ///
    /// The document means the same as before: JSON has such characters only in its texts. Line feeds and tabs between the values stay.
    public var jsonWithVisibleCharacters: String {
        if utf8.allSatisfy({ $0 < 0x7F }) { return String(self) }
        var shown = ""
        for scalar in unicodeScalars {
            if scalar.isInvisible, scalar.value >= 0x7F {
                shown += scalar.jsonEscape
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// The text in double quotes, printable, and cut to what fits in a message.
    public var quoted: String { "\"\(printable(most: 60))\"" }
}

extension Sequence<String> {
    /// The texts as lines of one printable text: a line break inside of one of them makes no line.
    public var printableLines: String { map { $0.printable() }.joined(separator: "\n") }
}

extension Unicode.Scalar {
    /// Whether the character controls a terminal, a line or the direction of text, and shows nothing itself.
    public var isInvisible: Bool {
        // Nearly all text is ASCII, for which no table is needed.
        if value < 0x7F { return value < 0x20 }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// The character as JSON escapes it: `\u009B`, or two escapes for one beyond U+FFFF.
    public var jsonEscape: String {
        String(self).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: true)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    /// The character as `U+000A`.
    public var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
