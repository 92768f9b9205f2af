import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A stream piece is what a reader of an event stream learns at one moment.
enum StreamPiece: Hashable, Sendable {
    /// Bytes have come, so nothing before the service keeps the stream back.
    case bytes
    case event(ServerSentEvent)
    /// A second has passed.
    case second
}

extension Transport {
    /// Opens an event stream.
    ///
    /// - Parameters:
    ///   - path: The path of the stream.
    ///   - id: The id of the event after which the stream continues, or `nil` for its beginning.
    /// - Throws: ``ComposeClientError`` if the answer is no event stream.
    func events(_ path: String, after id: String?) async throws -> AsyncThrowingStream<StreamPiece, any Error> {
        let url = server.url(path, query: [])
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "text/event-stream")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let id { request.headers.add(name: "Last-Event-ID", value: id) }
        let response = try await open(request)
        let type = response.headers.first(name: "Content-Type")
        guard response.status == .ok, type?.lowercased().hasPrefix("text/event-stream") == true else {
            // The body of a success is not read, because it can be without an end.
            let body = try await response.status == .ok ? Data() : collect(response)
            throw ComposeClientError(status: Int(response.status.code), contentType: type, body: body, url: url)
        }
        let (pieces, piece) = AsyncThrowingStream.makeStream(of: StreamPiece.self)
        let reading = Task {
            do {
                var parser = EventStreamParser()
                var buffers = response.body.makeAsyncIterator()
                while let buffer = try await self.reading({ try await buffers.next() }) {
                    piece.yield(.bytes)
                    for event in try parser.take(buffer.readableBytesView) { piece.yield(.event(event)) }
                }
                piece.finish()
            } catch is EventStreamParser.TooLarge {
                piece.finish(throwing: ComposeClientError(.notTheService, "\(server) sent more than \(Self.largestAnswer >> 20) MiB"))
            } catch {
                piece.finish(throwing: error)
            }
        }
        let ticking = Task {
            // A canceled sleep means that the stream has no reader any more.
            while (try? await clock.sleep(for: .seconds(1))) != nil { piece.yield(.second) }
        }
        piece.onTermination = { _ in
            reading.cancel()
            ticking.cancel()
        }
        return pieces
    }
}
