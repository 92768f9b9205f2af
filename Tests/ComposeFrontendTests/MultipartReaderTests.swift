import RandomTestKit
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
        for type in ["", "; boundary=", "; boundary=\"\"", "; boundary=" + String(repeating: "b", count: 71), "; xboundary=b"] {
            let rejection = #expect(throws: RequestRejection.self) { try MultipartReader(contentType: "multipart/form-data\(type)") }
            #expect(rejection?.message == "The Content-Type multipart/form-data has no boundary of 1 to 70 characters.", "\(type)")
        }
    }

    @Test(
        "a boundary is a token or quoted, and other parameters may stand beside it",
        arguments: [
            "multipart/form-data; boundary=b", "MULTIPART/form-data ;charset=utf-8;  BOUNDARY=\"b\" ; x=y",
            "multipart/form-data;boundary=b;x",
        ])
    func boundaries(type: String) throws {
        var reader = try #require(try MultipartReader(contentType: type))
        #expect(try reader.read("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b--".utf8) == [.part(name: "a"), .endOfPart])
        var quoted = try #require(try MultipartReader(contentType: "multipart/form-data; boundary=\"a b,c;d=e\""))
        #expect(try quoted.read("--a b,c;d=e--".utf8) == [])
        try quoted.finish()
    }

    @Test("a form of a million parts is refused at the part after the last possible one")
    func manyParts() throws {
        var reader = try #require(try MultipartReader(contentType: "multipart/form-data; boundary=b"))
        let part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"
        var parts = 0
        let rejection = #expect(throws: RequestRejection.self) {
            for _ in 0..<1_000_000 { parts += try reader.read(part.utf8).count { $0 == .part(name: "a") } }
        }
        #expect(rejection?.message == "The multipart body has more than 100 parts.")
        #expect(parts == 100)
    }

    // MARK: Random bodies

    /// A form with random parts, whose contents have much that is nearly a boundary.
    private struct RandomForm {
        let boundary: String
        var parts: [String] = []
        var bytes: [UInt8] = []

        init(_ dice: inout Dice) {
            boundary = String((0..<Int.random(in: 1...70, using: &dice)).map { _ in "ab-'_=".randomElement(using: &dice) ?? "a" })
            let delimiter = "\r\n--\(boundary)"
            if Bool.random(using: &dice) { bytes += "preamble --\(boundary)\r\n".utf8 }
            for number in 0..<Int.random(in: 1...5, using: &dice) {
                var content: String
                repeat {
                    let pieces = (0..<Int.random(in: 0...20, using: &dice)).map { _ in
                        switch Int.random(in: 0..<5, using: &dice) {
                        case 0:
                            String(decoding: delimiter.utf8.prefix(Int.random(in: 1..<delimiter.utf8.count, using: &dice)), as: UTF8.self)
                        case 1: "\r\n"
                        case 2: "--\(boundary)--"
                        case 3: "\r"
                        default: String(repeating: "x", count: Int.random(in: 1...30, using: &dice))
                        }
                    }
                    content = pieces.joined()
                } while Array(content.utf8).contains(delimiter.utf8)
                parts.append("part\(number)=\(content);")
                bytes += "--\(boundary)\r\nContent-Disposition: form-data; name=\"part\(number)\"\r\nX: y\r\n\r\n\(content)\r\n".utf8
            }
            bytes += "--\(boundary)--".utf8
            if Bool.random(using: &dice) { bytes += "\r\nepilogue\r\n--\(boundary)\r\n".utf8 }
        }

        /// Damages some bytes.
        mutating func damage(_ dice: inout Dice) {
            for _ in 0..<Int.random(in: 1...4, using: &dice) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &dice)
                let end = min(bytes.count, place + Int.random(in: 1...9, using: &dice))
                switch Int.random(in: 0..<5, using: &dice) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
                case 1: bytes.removeSubrange(place..<end)
                case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
                case 3: bytes.insert(contentsOf: "\r\n--\(boundary)".utf8, at: place)
                default: bytes.removeSubrange(place...)
                }
            }
        }

        /// Returns the parts, or the reason why the body is refused.
        func read(byAtMost most: Int, _ dice: inout Dice) -> Result<[String], RequestRejection> {
            Result { () throws(RequestRejection) in
                guard var reader = try MultipartReader(contentType: "multipart/form-data; boundary=\"\(boundary)\"") else { return [] }
                var found: [(name: String, content: [UInt8], isComplete: Bool)] = []
                var rest = bytes[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(Int.random(in: 1...most, using: &dice))
                    rest = rest.dropFirst(piece.count)
                    for event in try reader.read(piece) {
                        switch event {
                        case .part(let name): found.append((name, [], false))
                        case .content(let bytes): found[found.count - 1].content += bytes
                        case .endOfPart: found[found.count - 1].isComplete = true
                        }
                    }
                }
                try reader.finish()
                return found.map { "\($0.name)=\(String(decoding: $0.content, as: UTF8.self))\($0.isComplete ? ";" : "")" }
            }
        }
    }

    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 31
        }
    }

    @Test("random forms are read as they were written, and damaged ones have one result, whatever the pieces in which they arrive")
    func random() throws {
        print("ODCS_TEST_SEED=\(RandomRun.seed): random forms are read")
        for seed in RandomRun.seed..<(RandomRun.seed + 4 * RandomRun.changes) {
            var dice = Dice(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
            var form = RandomForm(&dice)
            for most in [1, 3, 100, 100_000] {
                let parts = try form.read(byAtMost: most, &dice).get()
                #expect(parts == form.parts, "seed \(seed), pieces of at most \(most)")
            }
            form.damage(&dice)
            var results: [String] = []
            for most in [100_000, 1, 20] {
                switch form.read(byAtMost: most, &dice) {
                case .success(let parts): results.append("\(parts)")
                case .failure(let rejection): results.append(rejection.message)
                }
            }
            #expect(Set(results).count == 1, "seed \(seed): \(results)")
        }
    }
}
