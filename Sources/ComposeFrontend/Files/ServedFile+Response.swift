import Hummingbird
import NIOCore

extension ServedFile {
    /// The number of bytes that are read from a file at a time.
    private static let chunk = 128 * 1024

    /// Returns the answer to a request for the file, or for a part of it.
    func response(to request: Request, mediaType: String) -> Response {
        var headers: HTTPFields = [
            .eTag: entityTag, .lastModified: HTTPDate.format(modified), .acceptRanges: "bytes", .cacheControl: "no-cache",
        ]
        headers[.contentType] = mediaType
        headers[.xContentTypeOptions] = "nosniff"
        switch Precondition(request.headers, entityTag: entityTag, modified: modified).outcome {
        case .failed:
            return Response(status: .preconditionFailed, headers: headers)
        case .notModified:
            return Response(status: .notModified, headers: headers)
        case .everything:
            return Response(status: .ok, headers: headers, body: body(0..<size))
        case .rangeIsGood:
            break
        }
        guard request.method == .get, let range = request.headers[.range].flatMap(ByteRange.init(header:)) else {
            return Response(status: .ok, headers: headers, body: body(0..<size))
        }
        guard let bytes = range.clamped(to: size) else {
            headers[.contentRange] = "bytes */\(size)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
        headers[.contentRange] = "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/\(size)"
        return Response(status: .partialContent, headers: headers, body: body(bytes))
    }

    private func body(_ bytes: Range<Int>) -> ResponseBody {
        ResponseBody(contentLength: bytes.count) { writer in
            var offset = bytes.lowerBound
            while offset < bytes.upperBound {
                let part = try await self.read(from: offset, count: min(Self.chunk, bytes.upperBound - offset))
                // The answer has announced its length already. If the file became shorter, the connection has to end.
                guard part.readableBytes > 0 else { throw ServedFileShrank() }
                offset += part.readableBytes
                try await writer.write(part)
            }
            try await writer.finish(nil)
        }
    }
}
