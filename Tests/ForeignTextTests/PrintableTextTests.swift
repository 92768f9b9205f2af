import ForeignText
import Testing

struct PrintableTextTests {
    @Test("Plain text stays as it is", arguments: ["ed-1.20", "é 漢 🙂", "a\\b \"c\""])
    func plain(_ text: String) {
        #expect(text.printable() == text)
    }

    @Test("Escape sequences, line breaks and turns of direction are shown as code points")
    func controls() {
        #expect("a\u{1B}[31m\u{9B}2J\n\u{202E}\u{2028}\u{7F}".printable() == "aU+001B[31mU+009B2JU+000AU+202EU+2028U+007F")
    }

    @Test("Texts of several lines keep their line feeds and tabs, and nothing else")
    func lines() {
        #expect("a\n\tb\r\u{85}".printable(keepingLines: true) == "a\n\tbU+000DU+0085")
    }

    @Test("A long text is cut and says so")
    func long() {
        #expect("abcdef".printable(most: 3) == "abc…")
        #expect("abc".printable(most: 3) == "abc")
        #expect(String(repeating: "a", count: 61).quoted == "\"\(String(repeating: "a", count: 60))…\"")
    }

    @Test("Texts are compared by their bytes")
    func bytes() {
        #expect(!"é".hasSameBytes(as: "e\u{301}"))
        #expect("e\u{301}".precedesInBytes("é"))
    }

    @Test("A line break inside of a line is a stranger's, and makes no line")
    func foreignLines() {
        #expect(["a\nb", "c"].printableLines == "aU+000Ab\nc")
    }

    @Test("JSON keeps its meaning when what shows nothing is escaped")
    func json() {
        #expect("{\n \"a\u{9B}\": \"\u{202E}é\u{E0001}\"}".jsonWithVisibleCharacters == "{\n \"a\\u009B\": \"\\u202Eé\\uDB40\\uDC01\"}")
    }
}
