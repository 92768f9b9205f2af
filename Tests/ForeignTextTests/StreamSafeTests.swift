import ForeignText
import Testing

@Suite struct StreamSafeTests {
    @Test("texts of all languages are stream-safe", arguments: ["", "ed", "Jürgen", "Tiê\u{0301}ng Viê\u{0323}t", "שָׁלוֹם", "한국어", "🏳️‍🌈"])
    func languages(_ text: String) {
        #expect(text.isStreamSafe)
    }

    @Test("thirty combining marks in a row are stream-safe, and one more is not")
    func marks() {
        #expect(("a" + String(repeating: "\u{0301}\u{0323}", count: 15)).isStreamSafe)
        #expect(!("a" + String(repeating: "\u{0301}\u{0323}", count: 15) + "\u{0301}").isStreamSafe)
        #expect(String(repeating: "a\u{0301}", count: 1000).isStreamSafe)
        #expect(!("x" + String(repeating: "\u{1D165}", count: 31)).isStreamSafe)
    }
}
