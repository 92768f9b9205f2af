import ForeignText
import Testing

struct PathComponentTests {
    @Test("Names of files are taken as they are", arguments: ["ed-1.20-3.x86_64.rpm", ".hidden", "...", "a b", "..a", "é", "a\\b"])
    func takesNames(_ name: String) throws {
        #expect(try PathComponent(name).text == name)
    }

    @Test(
        "A text that would lead elsewhere, or that no file can have as its name, is refused",
        arguments: [
            ("", PathComponent.Problem.empty), (".", .relative), ("..", .relative), ("a/b", .slash), ("../a", .slash), ("/", .slash),
            ("a\0b", .control), ("a\nb", .control), ("\u{7F}", .control), (String(repeating: "é", count: 128), .long),
        ])
    func refuses(_ text: String, _ problem: PathComponent.Problem) {
        #expect(throws: problem) { try PathComponent(text) }
    }

    @Test("A very long text is refused by its first bytes")
    func refusesLong() {
        #expect(throws: PathComponent.Problem.long) { try PathComponent(String(repeating: "\u{301}\u{323}", count: 1_000_000)) }
    }
}
