import Foundation
import Hummingbird

extension Request {
    /// Returns the body as JSON, or `nil` if there is no body. The Content-Type does not matter.
    ///
    /// A body whose Content-Length exceeds the limit is not read at all.
    ///
    /// - Throws: ``RequestRejection`` if the body is too long or not JSON.
    func json(limit: Int) async throws -> JSONValue? {
        if let length = headers[.contentLength].flatMap(Int.init), length > limit {
            throw RequestRejection.bodyTooLarge(limit: limit)
        }
        let buffer = try await body.collect(upTo: limit)
        guard buffer.readableBytesView.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
        return try JSONValue(parsing: Data(buffer.readableBytesView))
    }
}
