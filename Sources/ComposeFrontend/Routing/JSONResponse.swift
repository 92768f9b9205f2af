import ComposeModel
import ForeignText
import Foundation
import Hummingbird

extension Response {
    /// Returns a JSON answer with the members of objects in the order of their names. Slashes are not
    /// escaped.
    static func json(_ document: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        json(bytes: try JSONEncoder.answer(document), status: status)
    }

    /// Returns a JSON answer that `write` writes directly. This is many times as fast as encoding a
    /// document.
    static func json(_ write: (inout JSONWriter) throws -> Void) rethrows -> Response {
        // The size is enough for most composes.
        var json = JSONWriter(reservingBytes: 2048)
        try write(&json)
        return Self.json(bytes: json.bytes, status: .ok)
    }

    private static func json(bytes: some Sequence<UInt8>, status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
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
