import Processes
import Testing

@Suite("The output of a program")
struct OutputTailTests {
    @Test("what a program prints loses its escape characters on the way into the log")
    func output() {
        let tail = OutputTail()
        tail.append(Array("\u{1B}[1mbold\tand\u{9B}\u{202E}back\n".utf8))
        #expect(tail.lastLines() == ["[1mbold\tandback"])
    }
}
