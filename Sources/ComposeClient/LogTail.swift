import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A log tail reads a growing text file from a web server by ranges of bytes, and returns its lines.
struct LogTail {
    /// The number of bytes that are read at a time. A longer line is returned in pieces of about this
    /// length.
    static let chunk = 1 << 20

    private var url: String?
    private var offset = 0
    private var unfinished: [UInt8] = []

    init(url: String? = nil) {
        self.url = url
    }

    /// A reading is the result of one read.
    struct Reading {
        var lines: [String] = []
        /// Whether there may be more to read at once.
        var hasMore = false
    }

    /// Reads on from the end of the last read. If `url` differs from the last one, reading starts at the
    /// beginning of the file. The URL changes when a compose turns out to share the result of an equal one.
    ///
    /// The token is never sent. The files are public, and may be on another server.
    private mutating func read(_ url: String, over transport: Transport) async throws -> Reading {
        if url != self.url { self = LogTail(url: url) }
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Range", value: "bytes=\(offset)-\(offset + Self.chunk - 1)")
        let response = try await transport.open(request)
        // The answer may be a login page in front of the server instead of a log.
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
            // "bytes */SIZE" (RFC 9110, 15.5.17): if the file is shorter than the part read so far, it is a new
            // file, of a second attempt.
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
        // The first words of a page identify it. The page may be longer, or have no end.
        var start = ByteBuffer()
        var buffers = response.body.makeAsyncIterator()
        while start.readableBytes < 4096, var buffer = try await transport.reading({ try await buffers.next() }) {
            start.writeBuffer(&buffer)
        }
        return ComposeClientError(
            notTheService: url, status: Int(response.status.code), contentType: response.headers.first(name: "Content-Type"),
            body: Data(start.readableBytesView))
    }

    /// Reads on as ``read(_:over:)`` does. If the file does not grow any more (`isFinal`), the last line
    /// need not have a line end.
    mutating func read(_ url: String, isFinal: Bool, over transport: Transport) async throws -> Reading {
        var reading = try await read(url, over: transport)
        if isFinal, !reading.hasMore, let rest = rest() { reading.lines.append(rest) }
        return reading
    }

    /// Returns the last line if it has no line end, and `nil` otherwise.
    private mutating func rest() -> String? {
        guard !unfinished.isEmpty else { return nil }
        defer { unfinished = [] }
        return String(decoding: unfinished, as: UTF8.self)
    }

    private mutating func take(_ response: HTTPClientResponse, skipping skipped: Int, over transport: Transport) async throws -> Reading {
        var reading = Reading()
        var (toSkip, taken) = (skipped, 0)
        var buffers = response.body.makeAsyncIterator()
        // If the loop stops before the end, the rest of the response is canceled.
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
