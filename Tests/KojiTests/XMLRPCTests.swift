import Koji
import ScriptedHub
import Testing

@Suite struct XMLRPCTests {
    /// What the recorded hub was sent, and sent back, to show all types.
    static let types: [XMLRPCValue] = [
        nil, true, false, 0, -1, 2_147_483_647, -2_147_483_648, 2_147_483_648, -2_147_483_649, 1_099_511_627_776, .int(.max), .double(1.5),
        .double(1e-07), .double(1_511_222_333.123456), "plain", "", "Žluťoučký kůň 🐎", "a<b>&\"c'", "line1\nline2\n\ttab", [], [:],
        ["k": nil, "ž": [1, [2, [:]]]], [1, 2],
    ]

    @Test("a value of each type is read as the hub wrote it")
    func aValueOfEachTypeIs() throws {
        let value = try XMLRPCValue(parsing: Recordings.response("echo_types"))
        #expect(value == .array(Self.types))
    }

    @Test("bytes and dates are read")
    func bytesAndDatesAreRead() throws {
        let value = try XMLRPCValue(parsing: Recordings.response("echo_bytes_datetime"))
        #expect(value == [.base64([0, 0xFF] + Array("bin".utf8)), .dateTime("20170703T12:34:56")])
    }

    @Test("a value without a type is a string")
    func aValueWithoutATypeIs() throws {
        let value = try XMLRPCValue(parsing: document("<value>bare &amp; b&#x61;re</value>"))
        #expect(value == "bare & bare")
        let blank = try XMLRPCValue(parsing: document("<value> </value>"))
        #expect(blank == " ")
        let cdata = try XMLRPCValue(parsing: document("<value><string><![CDATA[a<b]]> c</string></value>"))
        #expect(cdata == "a<b c")
    }

    @Test("what is written to the hub is what Koji's own client writes")
    func whatIsWrittenToTheHub() throws {
        func same(_ name: String, _ call: XMLRPCCall) throws {
            let written = String(decoding: try call.encoded(), as: UTF8.self)
            #expect(written == String(decoding: Recordings.request(name), as: UTF8.self))
        }
        try same("getLastEvent", XMLRPCCall("getLastEvent"))
        try same("getBuild_nvr", XMLRPCCall("getBuild", "ed-1.14.2-2.fc26"))
        try same("echo_bytes_datetime", XMLRPCCall("echo", .base64([0, 0xFF] + Array("bin".utf8)), .dateTime("20170703T12:34:56")))
        try same(
            "queryHistory",
            XMLRPCCall(
                "queryHistory",
                keywords: [
                    .init("tables", ["tag_listing", "tag_inheritance"]), .init("tag", "f26-updates"), .init("afterEvent", 70),
                    .init("beforeEvent", 101),
                ]))
    }

    @Test("each type survives being written and read again")
    func eachTypeSurvivesBeingWrittenAnd() throws {
        let call = XMLRPCCall("echo", Self.types + ["\r\n", .base64([1, 2, 3, 4])])
        let read = try XMLRPCCall(parsing: try call.encoded())
        #expect(read == call)
    }

    @Test("each recorded request can be read and written again", arguments: Recordings.names.filter { !$0.hasPrefix("raw_") })
    func eachRecordedRequestCanBeRead(name: String) throws {
        let call = try XMLRPCCall(parsing: Recordings.request(name))
        let again = try XMLRPCCall(parsing: try call.encoded())
        #expect(again == call)
    }

    @Test(
        "each recorded answer is a value or a fault, and is the same when it comes byte by byte",
        arguments: Recordings.names.filter { name in
            !["raw_get", "raw_empty", "raw_malformed", "raw_not_xmlrpc", "raw_doctype"].contains(name)
        })
    func eachRecordedAnswerIsAValue(name: String) throws {
        let bytes = Recordings.response(name)
        func read(_ body: () throws -> XMLRPCValue) throws -> Result<XMLRPCValue, Fault> {
            do { return .success(try body()) } catch {
                let fault = try #require(KojiError.fault(in: error))
                return .failure(Fault(fault: fault))
            }
        }
        let whole = try read { try XMLRPCValue(parsing: bytes) }
        let pieces = try read { try XMLRPCValue(parsing: bytes, piece: 1) }
        #expect(whole == pieces)
        if case .success(let value) = whole {
            var writer = XMLRPCWriter()
            try writer.value(value)
            let again = try XMLRPCValue(parsing: document(String(decoding: writer.bytes, as: UTF8.self)))
            #expect(again == value)
        }
    }

    private struct Fault: Error, Equatable {
        let fault: KojiError.Fault
    }

    @Test(
        "text that XML cannot carry is refused by name",
        arguments: [
            "\u{0}", "a\u{8}b", "\u{FFFE}",
        ])
    func textThatXmlCannotCarryIs(text: String) throws {
        let error = try #require(throws: KojiError.self) { try XMLRPCCall("getTag", .string(text)).encoded() }
        #expect(error.code == .argument)
        #expect(error.message.contains("that XML cannot carry"))
    }

    @Test(
        "an answer that was altered anywhere is read or refused, whatever the bytes",
        arguments: ["echo_types", "getFullInheritance_f26-build"])
    func altered(name: String) throws {
        let recorded = Recordings.response(name)
        // A linear congruential generator: the same alterations each time.
        var state: UInt64 = 4
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var refused = 0
        for _ in 0..<1000 {
            var bytes = recorded
            for _ in 0...next(3) {
                let place = next(bytes.count)
                switch next(4) {
                case 0: bytes[place] = UInt8(next(256))
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + next(40)))
                case 2: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + next(200))], at: next(bytes.count))
                default: bytes.insert(UInt8(ascii: "<"), at: place)
                }
            }
            do { _ = try XMLRPCValue(parsing: bytes, piece: 1 + next(500)) } catch { refused += 1 }
        }
        #expect(refused > 500)
    }

    @Test("a number that is none is refused")
    func aNumberThatIsNoneIs() throws {
        let error = try #require(throws: KojiError.self) { try XMLRPCCall("getLastEvent", .double(.nan)).encoded() }
        #expect(error.message == "XML-RPC has no way to write the number nan.")
    }
}

/// An answer with `value`.
func document(_ value: String) -> [UInt8] {
    Array("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n\(value)\n</param>\n</params>\n</methodResponse>\n".utf8)
}
