/// *Shell words* are the words of a text, with the quotes that belong to them. A blank in quotes does
/// not end a word. Example: `A=1 B="x y"` has two words.
enum ShellWords {
    static func words(of text: String, escape: Unicode.Scalar) -> [String] {
        var words: [String] = []
        var word = ""
        var isWord = false
        var quote: Unicode.Scalar?
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if isEscaped {
                isEscaped = false
            } else if scalar == escape, quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
            } else if scalar == " " || scalar == "\t" {
                if isWord { words.append(word) }
                (word, isWord) = ("", false)
                continue
            }
            word.unicodeScalars.append(scalar)
            isWord = true
        }
        if isWord { words.append(word) }
        return words
    }
}
