import Testing

@testable import ComposeFrontend

/// Bodies of the type multipart/form-data.
@Suite struct MultipartReaderTests {
    private static let body =
        "a preamble\r\n--b--x\r\nContent-Disposition: form-data; name=\"one\"\r\n\r\n1\r\n--b--\r\n--b--x\r\n"
        + "Content-Type: text/plain\r\ncontent-disposition: form-data; filename=\"f\"; name=\"two\"\r\n\r\n\r\n--b--x--\r\nan epilogue"

    /// Returns the parts, however many events their content had.
    private static func parts(_ body: String, by count: Int) throws -> [String] {
        var reader = try #require(try MultipartReader(contentType: "Multipart/Form-Data; charset=utf-8; Boundary=\"b--x\""))
        var parts: [String] = []
        let bytes = Array(body.utf8)
        for start in stride(from: 0, to: bytes.count, by: count) {
            for event in try reader.read(bytes[start..<min(start + count, bytes.count)]) {
                switch event {
                case .part(let name): parts.append("\(name)=")
                case .content(let content): parts[parts.count - 1] += String(decoding: content, as: UTF8.self)
                case .endOfPart: parts[parts.count - 1] += ";"
                }
            }
        }
        try reader.finish()
        return parts
    }

    @Test("parts are read, whatever the pieces in which they arrive", arguments: [1, 2, 3, 7, 20, 1000])
    func pieces(count: Int) throws {
        #expect(try Self.parts(Self.body, by: count) == ["one=1\r\n--b--;", "two=;"])
    }

    @Test(
        "a body that is damaged is refused with a sentence",
        arguments: [
            ("", "The multipart body ends before its last boundary."),
            ("--b--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1", "The multipart body ends before its last boundary."),
            ("--b--xx\r\n", "The multipart body has other bytes than a line break after a boundary."),
            ("--b--x\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--x--", "A part of the multipart body has no name."),
            ("--b--x\r\n" + String(repeating: "a", count: 9000), "A part of the multipart body has headers of more than 8192 bytes."),
        ])
    func damaged(body: String, message: String) {
        let rejection = #expect(throws: RequestRejection.self) { try Self.parts(body, by: 100) }
        #expect(rejection?.message == message)
    }

    @Test("other types are no forms, and a form needs a boundary")
    func types() throws {
        for type in [nil, "application/json"] {
            let isForm = try MultipartReader(contentType: type) != nil
            #expect(!isForm)
        }
        let rejection = #expect(throws: RequestRejection.self) { try MultipartReader(contentType: "multipart/form-data") }
        #expect(rejection?.message == "The Content-Type multipart/form-data has no boundary.")
    }
}
