import ComposeModel
import ForeignText
import Foundation
import Hummingbird
import NIOCore

extension Response {
    /// Returns a JSON answer with the members of objects in the order of their names. Slashes are not
    /// escaped.
    static func json(_ document: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        json(ByteBuffer(bytes: try JSONEncoder.answer(document)), status: status)
    }

    /// Returns a JSON answer that `write` writes directly. This is many times as fast as encoding a
    /// document.
    static func json(_ write: (inout JSONWriter) throws -> Void) rethrows -> Response { json(try ByteBuffer(json: write)) }

    /// Returns an answer whose body is JSON.
    static func json(_ body: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: body))
    }
}

extension ByteBuffer {
    /// Creates a buffer with the JSON that `write` writes.
    init(json write: (inout JSONWriter) throws -> Void) rethrows {
        // The size is enough for most composes.
        var json = JSONWriter(reservingBytes: 2048)
        try write(&json)
        self.init(bytes: json.bytes)
    }
}

extension JSONEncoder {
    /// Returns a document in the encoding of all answers. Invisible characters are escaped.
    static func answer(_ document: some Encodable) throws -> some Sequence<UInt8> {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self).jsonWithVisibleCharacters.utf8
    }
}
