import ComposeModel
import Foundation
import Retries

/// A compose stream is the event stream of one compose, over connections that follow each other. After
/// a lost connection it continues after its last event, so no line of the log is lost or comes twice.
struct ComposeStream {
    /// A step is the next thing that the stream brings.
    enum Step: Sendable {
        case changed(ComposeDocument)
        /// New lines of the log.
        case logged([String])
        /// The state is final, and the log is complete.
        case ended
        /// A second has passed.
        case second
        /// Something between the client and the service keeps the stream back, and nothing has come.
        case unavailable
    }

    /// The message of a change of state.
    private struct Change: Decodable {
        let compose: ComposeDocument
    }

    /// The time in which the first bytes have to come, in seconds. The service sends some at once.
    private static let mostSilentSeconds = 10
    /// The number of connections without an event after which the first event is not waited for any more.
    private static let mostFailures = 5

    /// The statuses of a server that has no such stream, or no place for it.
    private static let refusals: Set<Int> = [404, 405, 406, 429]

    private let path: String
    private let transport: Transport
    private var pieces: StreamPieces.AsyncIterator?
    /// The id of the last event.
    private var last: String?
    /// The seconds since the connection began, until its first bytes. `nil` after them.
    private var silentSeconds: Int?
    /// The connections that were lost since the last event.
    private var failures = 0

    init(_ id: Int, over transport: Transport) {
        path = "/api/1/composes/\(id)/events"
        self.transport = transport
    }

    /// Opens the stream.
    ///
    /// - Returns: `false` if the service has no such stream, or no place for one more.
    mutating func open() async throws -> Bool {
        do {
            try await connect()
            return true
        } catch is ComposeClientError {
            // The service can be asked in another way, which reports a problem that is not the stream's.
            return false
        }
    }

    /// Returns the next step, as soon as there is one.
    mutating func next() async throws -> Step {
        while true {
            do {
                if pieces == nil { try await connect() }
                if let piece = try await pieces?.next() {
                    if let step = try take(piece) { return step }
                    continue
                }
                try Task.checkCancellation()
            } catch let error as ComposeClientError where error.isPassing || error.code == .timedOut {
                // The connection was lost. Without an error, its other end has closed it.
            } catch let error as ComposeClientError where Self.refusals.contains(error.status ?? 0) {
                // Another server answers now, for example an older one. If the compose is gone, the next look says so.
                return .unavailable
            }
            if last == nil, failures >= Self.mostFailures { return .unavailable }
            try await reconnectLater()
        }
    }

    private mutating func connect() async throws {
        let (path, transport, last) = (path, transport, last)
        // A service that has sent events has a stream. It may only have no place at the moment.
        // At the beginning, a gateway may be in the way that takes no streams. Then polling is better than patience.
        let stream = try await transport.persisting(
            last == nil ? .brief : .established,
            if: { $0.isPassing || (last != nil && ($0.code == .timedOut || $0.status == 429)) }
        ) { try await transport.events(path, after: last) }
        pieces = stream.makeAsyncIterator()
        silentSeconds = 0
    }

    private mutating func reconnectLater() async throws {
        pieces = nil
        failures += 1
        try await transport.clock.sleep(for: Backoff.polling.pause(after: failures))
    }

    private mutating func take(_ piece: StreamPiece) throws -> Step? {
        switch piece {
        case .bytes:
            silentSeconds = nil
            return nil
        case .second:
            guard last == nil, let silent = silentSeconds else { return .second }
            silentSeconds = silent + 1
            return silent + 1 >= Self.mostSilentSeconds ? .unavailable : .second
        case .event(let event):
            if !event.id.isEmpty { last = event.id }
            failures = 0
            switch event.name {
            case "state-changed": return .changed(try change(event).compose)
            case "log": return .logged(event.data.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
            case "end": return .ended
            // A later service may send other events.
            default: return nil
            }
        }
    }

    private func change(_ event: ServerSentEvent) throws -> Change {
        do { return try JSONDecoder().decode(Change.self, from: Data(event.data.utf8)) } catch let error as DecodingError {
            throw ComposeClientError(unexpected: transport.server.url(path, query: []), error)
        }
    }
}
