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
}
