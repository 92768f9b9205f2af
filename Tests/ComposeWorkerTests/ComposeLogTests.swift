import Testing

@testable import ComposeWorker

@Suite("The log of a compose")
struct ComposeLogTests {
    @Test("an event is one line, and what strangers wrote in it is printable")
    func foreign() async throws {
        try await Workplace.with { place in
            place.log.write(.info, "first\nx\u{9B}2J\u{202E}y\u{2028}z\r\nend")
            let logged = try place.logged
            #expect(logged == ["first xU+009B2JU+202EyU+2028zU+000DU+000Aend"])
        }
    }

    @Test("what a program prints loses its escape characters on the way into the log")
    func output() {
        let tail = OutputTail()
        tail.append(Array("\u{1B}[1mbold\tand\u{9B}\u{202E}back\n".utf8))
        #expect(tail.lastLines() == ["[1mbold\tandback"])
    }
}
