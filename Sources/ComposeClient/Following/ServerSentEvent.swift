/// A server-sent event is one event of an event stream, as HTML's section "Server-sent events" defines
/// it.
struct ServerSentEvent: Hashable, Sendable {
    /// The id with which a reader continues after this event. Empty if the event has none.
    var id = ""
    var name = ""
    /// The lines of the data, joined by line ends.
    var data = ""
}

/// An event stream parser finds the events in the bytes of a stream. The bytes come in pieces of any
/// size.
struct EventStreamParser {
    /// The error of an event that is larger than any event of the service.
    struct TooLarge: Error {}

    /// The maximum size of an event, in bytes.
    private let mostBytes: Int
    private var line: [UInt8] = []
    private var event = ServerSentEvent()
    private var data: [String] = []
    /// The number of bytes since the last event.
    private var size = 0

    init(mostBytes: Int = Transport.largestAnswer) { self.mostBytes = mostBytes }

    /// Takes the next bytes, and returns the events that they complete.
    mutating func take(_ bytes: some Collection<UInt8>) throws(TooLarge) -> [ServerSentEvent] {
        var events: [ServerSentEvent] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line += rest[..<end]
            size += line.count
            rest = rest[rest.index(after: end)...]
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if let event = endLine() { events.append(event) }
        }
        line += rest
        guard size + line.count <= mostBytes else { throw TooLarge() }
        return events
    }

    /// Takes the complete line. Returns the event that it ends, if it is empty.
    private mutating func endLine() -> ServerSentEvent? {
        defer { line.removeAll(keepingCapacity: true) }
        guard !line.isEmpty else {
            defer { (event, data, size) = (ServerSentEvent(), [], 0) }
            // A block of comments or of other fields is no event.
            guard !data.isEmpty else { return nil }
            event.data = data.joined(separator: "\n")
            return event
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        var value = line[min(colon + 1, line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        let text = String(decoding: value, as: UTF8.self)
        switch String(decoding: line[..<colon], as: UTF8.self) {
        case "id": event.id = text
        case "event": event.name = text
        case "data": data.append(text)
        default: break
        }
        return nil
    }
}
