import Foundation
import Hummingbird

extension Request {
    /// The body as JSON, whatever Content-Type it claims; `nil` where there is none.
    ///
    /// A body that says beforehand that it is too long is not read at all.
    func json(limit: Int) async throws -> JSONValue? {
        if let length = headers[.contentLength].flatMap(Int.init), length > limit {
            throw RequestRejection.bodyTooLarge(limit: limit)
        }
        let buffer = try await body.collect(upTo: limit)
        guard buffer.readableBytesView.contains(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return nil }
        return try JSONValue(parsing: Data(buffer.readableBytesView))
    }
}
