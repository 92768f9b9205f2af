import Testing

@testable import ComposeClient

@Suite("Events of a stream")
struct EventStreamParserTests {
    private let stream = """
        retry: 2500

        id: 4-7-0
        event: state-changed
        data: {"a": 1}

        :

        id: 4-7-12
        event: log
        data: one: two
        data:\u{20}
        data:  three

        event: end\r
        data: é\r
        \r

        """

    private let expected = [
        ServerSentEvent(id: "4-7-0", name: "state-changed", data: "{\"a\": 1}"),
        ServerSentEvent(id: "4-7-12", name: "log", data: "one: two\n\n three"), ServerSentEvent(name: "end", data: "é"),
    ]

    @Test("events are the same in whatever pieces their bytes come", arguments: [1, 2, 3, 7, 1000])
    func pieces(size: Int) throws {
        var parser = EventStreamParser()
        var events: [ServerSentEvent] = []
        var rest = Array(stream.utf8)[...]
        while !rest.isEmpty {
            events += try parser.take(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(events == expected)
    }

    @Test("an event without an end is refused before it fills the memory")
    func tooLarge() throws {
        for piece in ["data: xxxxxxxx\n", "x"] {
            var parser = EventStreamParser(mostBytes: 1000)
            #expect(throws: EventStreamParser.TooLarge.self) { for _ in 0...1000 { _ = try parser.take(Array(piece.utf8)) } }
        }
    }
}
