import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

/// The place of a reader in the stream of a compose. Its text is the id of an event there.
///
/// Example: `57-12-4096` for the position 57 and the byte 4096 of the log of compose 12. After the end
/// of the stream it is `end`.
struct ComposeStreamCursor: Hashable, CustomStringConvertible {
    /// The position of the last event.
    var position: Int
    /// The compose whose log was read. A compose that shows the result of another one has that one's log.
    var log: Int
    /// The number of bytes of the log that were read.
    var offset: Int
    var isEnd = false

    init(position: Int, log: Int, offset: Int = 0) {
        self.position = position
        self.log = log
        self.offset = offset
    }

    /// - Throws: ``RequestRejection`` with status 400 if the text is not an id of the stream.
    init(_ text: String) throws(RequestRejection) {
        if text == "end" {
            self.init(position: 0, log: 0)
            isEnd = true
            return
        }
        let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard numbers.count == 3, numbers.allSatisfy({ $0 >= 0 }) else {
            throw .badRequest(
                "Last-Event-ID must be the id of an event of this stream, such as 57-12-4096, not \(text.quoted). Without it, the stream "
                    + "begins with the compose as it is.")
        }
        self.init(position: numbers[0], log: numbers[1], offset: numbers[2])
    }

    var description: String { isEnd ? "end" : "\(position)-\(log)-\(offset)" }
}

/// The stream of one compose: its changes of state, the lines of its log, and its end.
struct ComposeStream: Sendable {
    /// The time between two looks at a log that grows.
    private static let logInterval = Duration.milliseconds(500)
    /// The maximum number of bytes of the log in one event.
    private static let mostBytes = 32 << 10

    private var compose: Compose
    private var cursor: ComposeStreamCursor
    /// Whether the stream begins with the compose as it is.
    private let isNew: Bool
    private let reader: EventReader
    private let targets: [String: FrontendConfiguration.TargetDirectory]
    private let store: ComposeStore
    private let logger: Logger

    /// - Parameter bounds: The positions of events before the compose was read.
    init(
        compose: Compose, cursor: ComposeStreamCursor?, bounds: EventBounds, reader: EventReader,
        targets: [String: FrontendConfiguration.TargetDirectory], store: ComposeStore, logger: Logger
    ) {
        self.compose = compose
        self.reader = reader
        self.targets = targets
        self.store = store
        self.logger = logger
        // A reader whose events are deleted, or that comes from another database, begins with the compose as
        // it is.
        if let cursor, cursor.position >= bounds.deletedTo, cursor.position <= bounds.last {
            self.cursor = cursor
            isNew = false
        } else {
            self.cursor = ComposeStreamCursor(position: bounds.last, log: cursor?.log ?? compose.resultOf, offset: cursor?.offset ?? 0)
            isNew = true
        }
    }

    mutating func run(over feed: EventFeed, lasting time: Duration, into events: inout ServerSentEvents) async throws {
        if isNew { try await sendState(into: &events) } else { try await sendMissedChanges(into: &events) }
        let deadline = ContinuousClock.now + time
        while ContinuousClock.now < deadline, !Task.isShuttingDownGracefully {
            // The final state comes after the last line of the log.
            let isFinal = compose.state.isFinal
            if try await sendLog(isFinal: isFinal, into: &events) { continue }
            if isFinal {
                cursor.isEnd = true
                return try await events.send("end", id: "\(cursor)", data: ["{\"state\": \"\(compose.state.name)\"}"])
            }
            try await feed.withWakes(of: .compose(compose.id), lasting: Self.logInterval) { wakes in
                for await _ in wakes {
                    if try await sendChanges(into: &events) { break }
                }
            }
            try await events.sendSignOfLife()
        }
    }

    /// Sends all changes that were committed before the call to a reader that continues. The final one may
    /// have no position yet.
    private mutating func sendMissedChanges(into events: inout ServerSentEvents) async throws {
        try await store.sequenceEvents()
        let last = try await store.eventBounds().last
        while cursor.position < last { _ = try await sendChanges(havingAtLeast: last, into: &events) }
    }

    /// - Parameter last: The position of an event that must not be missed.
    /// - Returns: Whether there was a change.
    private mutating func sendChanges(havingAtLeast last: Int = 0, into events: inout ServerSentEvents) async throws -> Bool {
        let page = try await reader.page(after: cursor.position, havingAtLeast: last, limit: 100)
        cursor.position = page.next
        for item in page.items {
            guard case .compose(let changed) = item.event.subject else { continue }
            compose = changed
            cursor.position = item.position
            try await events.send(item.name, id: "\(cursor)", data: [item.json])
        }
        cursor.position = page.next
        return !page.items.isEmpty
    }

    private func sendState(into events: inout ServerSentEvents) async throws {
        let event = StoredEvent(id: 0, position: cursor.position, subject: .compose(compose))
        guard let message = try await store.message(of: event, targetURL: reader.urls.target) else { return }
        let json = String(decoding: Array(try JSONEncoder.answer(message)), as: UTF8.self)
        try await events.send(message.event.rawValue, id: "\(cursor)", data: [json])
    }

    /// Sends the next lines of the log. A line without an end is sent when the compose is final.
    ///
    /// - Returns: Whether there may be more.
    private mutating func sendLog(isFinal: Bool, into events: inout ServerSentEvents) async throws -> Bool {
        if compose.resultOf != cursor.log { cursor = ComposeStreamCursor(position: cursor.position, log: compose.resultOf) }
        let names = [ComposeLayout(id: cursor.log).directory, ComposeLayout.log]
        guard let root = targets[compose.request.targetDir]?.path, case .file(let file)? = try await ServedEntry.open(names, below: root)
        else { return false }
        if file.size < cursor.offset { cursor.offset = 0 }
        guard file.size > cursor.offset else { return false }
        let bytes = Array((try await file.read(from: cursor.offset, count: Self.mostBytes)).readableBytesView)
        let newline = UInt8(ascii: "\n")
        var end = bytes.lastIndex(of: newline).map { $0 + 1 } ?? 0
        let isRest = cursor.offset + bytes.count >= file.size
        // A line that is longer than one event is sent in parts.
        if end == 0, bytes.count == Self.mostBytes || (isFinal && isRest) { end = bytes.count }
        if isFinal, isRest { end = bytes.count }
        guard end > 0 else { return false }
        cursor.offset += end
        var lines = bytes[..<end].split(separator: newline, omittingEmptySubsequences: false)
        if bytes[end - 1] == newline { lines.removeLast() }
        let carriageReturn = UInt8(ascii: "\r")
        let texts = lines.map { line in
            String(decoding: line.last == carriageReturn ? line.dropLast() : line, as: UTF8.self).printable()
        }
        try await events.send("log", id: "\(cursor)", data: texts)
        return true
    }
}
