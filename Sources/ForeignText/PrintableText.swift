extension StringProtocol {
    /// Whether the text consists of visible ASCII characters and spaces, as most texts do. Such a text is
    /// printable as it is.
    @inlinable public var isVisibleASCII: Bool { utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } }

    /// Returns the text in a form that can be shown anywhere: in a reason, a log, a page or on a terminal.
    ///
    /// Characters that control a terminal, break a line, turn the direction of text or show nothing are
    /// written as `U+009B`. Every *foreign text*, which ODCS did not write itself, passes through this
    /// function before a person sees it.
    ///
    /// - Parameters:
    ///   - most: The maximum number of code points to keep. A longer text ends with `…`.
    ///   - keepingLines: Whether line feeds and tabs stay, for texts of several lines.
    @inlinable public func printable(most: Int = .max, keepingLines: Bool = false) -> String {
        if utf8.count <= most, isVisibleASCII { return String(self) }
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

    /// A JSON document with the escape `\u009B` for each of its characters that shows nothing, so that a
    /// terminal can show the document.
    ///
    /// The document has the same meaning as before, because JSON has these characters only in its texts.
    /// Line feeds and tabs between the values stay.
    @inlinable public var jsonWithVisibleCharacters: String {
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

    /// The text in double quotes, printable, and cut after 60 code points to fit in a message.
    public var quoted: String { "\"\(printable(most: 60))\"" }
}

extension Sequence<String> {
    /// The texts as lines of one printable text. A line break inside one of them does not start a new line.
    public var printableLines: String { map { $0.printable() }.joined(separator: "\n") }
}

extension Unicode.Scalar {
    /// Whether the character shows nothing itself, and controls a terminal, a line or the direction of
    /// text.
    @inlinable public var isInvisible: Bool {
        // Nearly all text is ASCII, which needs no table.
        if value < 0x7F { return value < 0x20 }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    /// The character as JSON escapes it, for example `\u009B`. A character beyond U+FFFF has two escapes.
    public var jsonEscape: String {
        String(self).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: true)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }

    /// The code point of the character, for example `U+000A`.
    public var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
