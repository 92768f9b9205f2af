import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Reads a text file that grows on a web server, by ranges of bytes, and gives it out in whole lines.
struct LogTail {
    /// How much is read at a time, and how long a line may be before it is given out in pieces.
    static let chunk = 1 << 20

    private var url: String?
    private var offset = 0
    private var unfinished: [UInt8] = []

    init(url: String? = nil) {
        self.url = url
    }

    /// What one read gave.
    struct Reading {
        var lines: [String] = []
        /// There may be more to read at once.
        var hasMore = false
    }

    /// Reads on from where the last read ended; from the start where `url` is another one than before, which it is once a compose turns out to
    /// share the result of an equal one.
    ///
    /// The token never goes along: the files are public, and may lie on another server.
    mutating func read(_ url: String, over transport: Transport) async throws -> Reading {
        if url != self.url { self = LogTail(url: url) }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Range", value: "bytes=\(offset)-\(offset + Self.chunk - 1)")
        let response = try await transport.open(request)
        // A login page may stand before the server, and is no log.
        if response.status.code < 300, response.headers.first(name: "Content-Type")?.lowercased().hasPrefix("text/html") ?? false {
            throw try await problem(with: response, url, over: transport)
        }
        switch response.status {
        case .partialContent:
            return try await take(response, skipping: 0, over: transport)
        case .ok:
            return try await take(response, skipping: offset, over: transport)
        case .notFound:
            return Reading()
        case .rangeNotSatisfiable:
            // "bytes */SIZE" (RFC 9110, 15.5.17): a file shorter than what was read is another file, of a second attempt.
            guard let size = response.headers.first(name: "Content-Range")?.split(separator: "/").last.flatMap({ Int($0) }), size < offset
            else {
                return Reading()
            }
            self = LogTail(url: url)
            return Reading(hasMore: true)
        default:
            throw try await problem(with: response, url, over: transport)
        }
    }

    private func problem(
        with response: HTTPClientResponse, _ url: String, over transport: Transport
    ) async throws -> ComposeClientError {
        // Its first words name it; a page may be longer than that, or have no end.
        var start = ByteBuffer()
        var buffers = response.body.makeAsyncIterator()
        while start.readableBytes < 4096, var buffer = try await transport.reading({ try await buffers.next() }) {
            start.writeBuffer(&buffer)
        }
        return ComposeClientError(
            notTheService: url, status: Int(response.status.code), contentType: response.headers.first(name: "Content-Type"),
            body: Data(start.readableBytesView))
    }

    /// The last line, where it has no end.
    mutating func rest() -> String? {
        guard !unfinished.isEmpty else { return nil }
        defer { unfinished = [] }
        return String(decoding: unfinished, as: UTF8.self)
    }

    private mutating func take(_ response: HTTPClientResponse, skipping skipped: Int, over transport: Transport) async throws -> Reading {
        var reading = Reading()
        var (toSkip, taken) = (skipped, 0)
        var buffers = response.body.makeAsyncIterator()
        // Stopping before the end cancels the rest of the response.
        while taken < Self.chunk, var buffer = try await transport.reading({ try await buffers.next() }) {
            let skip = min(toSkip, buffer.readableBytes)
            buffer.moveReaderIndex(forwardBy: skip)
            toSkip -= skip
            taken += buffer.readableBytes
            offset += buffer.readableBytes
            append(buffer.readableBytesView, to: &reading.lines)
        }
        reading.hasMore = taken >= Self.chunk
        return reading
    }

    private mutating func append(_ bytes: ByteBufferView, to lines: inout [String]) {
        var remaining = bytes
        while let end = remaining.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(String(decoding: unfinished + remaining[..<end], as: UTF8.self))
            unfinished = []
            remaining = remaining[(end + 1)...]
        }
        unfinished += remaining
        if unfinished.count >= Self.chunk, let piece = rest() { lines.append(piece) }
    }
}
