import ForeignText
import Testing

@Suite("Aliases in documents of strangers")
struct YAMLAliasesTests {
    @Test("aliases at the beginning of a node are counted, wherever it begins")
    func counted() {
        let forms = ["- *a\n", "k: *a\n", "? *a : b\n", "[*a]\n", "[x, *a]\n", "{k: *a}\n", "*a : b\n", "\"k\":*a\n", "-  *a-1\n"]
        for form in forms {
            #expect(!YAMLAliases.areTooMany(in: String(repeating: form, count: YAMLAliases.most)), "\(form)")
            #expect(YAMLAliases.areTooMany(in: String(repeating: form, count: YAMLAliases.most + 1)), "\(form)")
        }
    }

    @Test("commands, patterns and emphasis are no aliases")
    func commands() {
        for text in ["- rm *.o && cp lib/*so x\n", "text: a **bold** word\n", "- \"x*y\"\n", " * point\n", "a: 2 * b\n", "- make &\n"] {
            #expect(!YAMLAliases.areTooMany(in: String(repeating: text, count: 100)), "\(text)")
        }
    }
}
