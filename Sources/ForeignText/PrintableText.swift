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

    /// The text in double quotes, printable, and cut to what fits in a message.
    public var quoted: String { "\"\(printable(most: 60))\"" }
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

    /// The character as `U+000A`.
    public var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
