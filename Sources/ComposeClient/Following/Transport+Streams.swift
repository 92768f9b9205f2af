import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

extension Transport {
    /// Opens an event stream.
    ///
    /// - Parameters:
    ///   - path: The path of the stream.
    ///   - id: The id of the event after which the stream continues, or `nil` for its beginning.
    /// - Throws: ``ComposeClientError`` if the answer is no event stream.
    func events(_ path: String, after id: String?) async throws -> StreamPieces {
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
        return StreamPieces(response.body.map(\.readableBytesView), over: self)
    }
}
