import Koji
import ScriptedHub
import Testing

@Suite struct AnswerScannerTests {
    /// What `body` is, or why it is refused, in words that can be compared.
    private static func finding(_ body: [UInt8], piece: Int, scans: Bool) -> Finding {
        do {
            return .value(try XMLRPCValue(parsing: body, piece: piece, scans: scans))
        } catch {
            let words = "\(error)"
            // Of two things that are wrong at one place, libxml2 names one or the other, as the pieces come.
            guard let line = words.firstMatch(of: /\(line \d+/) else { return .problem(words) }
            return .problem(String(line.output))
        }
    }

    private enum Finding: Equatable {
        case value(XMLRPCValue)
        case problem(String)
    }

    /// What is not plain, well-formed or not.
    private static let oddities: [[UInt8]] =
        [
            "<!-- a comment -->", "<![CDATA[<data> ]]>", "&#x41;", "&#10;", "&lt;", "&amp;&quot;", "&unknown;", "&", "]]>", "]", "]]", ">",
            "\r\n",
            "\r", "\n\n", " name='value'", "<?instruction?>", "<?xml version='1.0'?>", "<!DOCTYPE html>", "<html>", "\u{FFFE}", "é", "🐎",
            "<nil/>",
            "<nil />", "</value>", "<value>", "<string>", "</string >", "<", "/", "\0", "\u{1}", "\u{7F}", "\u{FEFF}", "text",
            "<int>1</int>",
        ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80]]

    @Test(
        "an answer that was altered anywhere has the same value, or the same explanation, as when libxml2 alone reads it",
        arguments: ["echo_types", "getFullInheritance_f26-build", "echo_bytes_datetime"])
    func altered(name: String) {
        let recorded = Recordings.response(name)
        // A linear congruential generator: the same alterations each time.
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for _ in 0..<3000 {
            var bytes = recorded
            for _ in 0..<next(3) {
                let place = next(bytes.count)
                switch next(6) {
                case 0: bytes[place] = UInt8(next(256))
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + next(40)))
                case 2: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + next(200))], at: next(bytes.count))
                case 3: bytes.removeLast(next(bytes.count))
                default: bytes.insert(contentsOf: Self.oddities[next(Self.oddities.count)], at: place)
                }
                if bytes.isEmpty { break }
            }
            let piece = [1, 2, 3, 7, 50, 500, .max][next(7)]
            let found = Self.finding(bytes, piece: piece, scans: true)
            let expected = Self.finding(bytes, piece: piece, scans: false)
            #expect(found == expected, "in pieces of \(piece): \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test("whatever stands in a text, or between elements, is judged as libxml2 judges it", arguments: [1, 2, 5, Int.max])
    func oddity(piece: Int) {
        for oddity in Self.oddities {
            let text = String(decoding: oddity, as: UTF8.self)
            for (before, after) in [
                ("<value><string>", "</string></value>"), ("<value>a]", "]></value>"),
                ("<value><array><data>\n", "</data></array></value>"),
                ("<value>", "<int>5</int></value>"), ("<value><int>5</int>", "</value>"), ("", "<value>5</value>"),
                ("<value>5</value>", ""),
            ] {
                let whole = document("MARK")
                let start = whole.firstRange(of: Array("MARK".utf8))?.lowerBound ?? 0
                let bytes = whole[..<start] + Array(before.utf8) + oddity + Array(after.utf8) + whole[(start + 4)...]
                let found = Self.finding(Array(bytes), piece: piece, scans: true)
                #expect(found == Self.finding(Array(bytes), piece: piece, scans: false), "\(before) \(text) \(after)")
            }
            for bytes in [oddity + document("<value>5</value>"), document("<value>5</value>") + oddity] {
                let found = Self.finding(bytes, piece: piece, scans: true)
                #expect(found == Self.finding(bytes, piece: piece, scans: false), "around it: \(text)")
            }
        }
    }

    @Test(
        "the declaration decides who reads, and not what is read",
        arguments: [
            "<?xml version='1.0'?>", "<?xml version=\"1.0\"?>", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
            "<?xml version='1.0' encoding='utf-8'?>",
            "<?xml version='1.0' encoding='ISO-8859-1'?>", "<?xml version='1.0' standalone='yes'?>", "<?xml version='1.1'?>",
            "<?xml  version='1.0' ?>",
            "<?xml version='1.0' encoding='utf-8\"?>", "\n<?xml version='1.0'?>", "\u{FEFF}<?xml version='1.0'?>", "", "\n", "<!-- -->",
        ])
    func declaration(text: String) {
        let rest = document("<value>Žluť</value>").drop { $0 != UInt8(ascii: "\n") }
        for bytes in [Array(text.utf8) + rest, Array(text.utf8) + rest.dropFirst(), Array(text.utf8)] {
            for piece in [1, 10, Int.max] {
                let found = Self.finding(bytes, piece: piece, scans: true)
                #expect(found == Self.finding(bytes, piece: piece, scans: false), "in pieces of \(piece)")
            }
        }
    }
}
