import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A reader of server-sent events.
struct EventStream {
    /// An event, or the opening of the stream.
    struct Event: Equatable {
        var id = ""
        var name = ""
        var data = ""

        static let open = Event()
    }

    /// A client for many streams of one server at the same time.
    static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 200
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// Reads a stream until `take` returns `false`, or until the server ends it. The first element is
    /// ``Event/open``.
    static func read(_ url: String, after id: String? = nil, _ take: (Event) async throws -> Bool) async throws {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "text/event-stream")
        if let id { request.headers.add(name: "Last-Event-ID", value: id) }
        let response = try await client.execute(request, timeout: .minutes(2))
        guard response.status == .ok else { throw Refused(status: Int(response.status.code)) }
        guard try await take(.open) else { return }
        var rest = ""
        for try await bytes in response.body {
            rest += String(buffer: bytes)
            while let end = rest.firstRange(of: "\n\n") {
                let lines = rest[..<end.lowerBound].split(separator: "\n")
                rest = String(rest[end.upperBound...])
                var event = Event()
                var data: [Substring] = []
                for line in lines {
                    if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                    if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                    if line.hasPrefix("data: ") { data.append(line.dropFirst(6)) }
                }
                event.data = data.joined(separator: "\n")
                if !event.name.isEmpty, try await !take(event) { return }
            }
        }
    }

    struct Refused: Error, Equatable { let status: Int }
}
