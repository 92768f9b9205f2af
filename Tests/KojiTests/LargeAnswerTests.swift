import Koji
import ScriptedHub
import Testing

@Suite struct LargeAnswerTests {
    /// Pieces of an answer of listTaggedRPMS with `rows` packages and one build, as the hub writes it; none of it is kept.
    static func pieces(rows: Int) -> @Sendable (Int) -> [UInt8]? {
        let perPiece = 100
        return { number in
            if number == 0 {
                return Array(
                    "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n<value><array><data>\n".utf8)
            }
            let first = (number - 1) * perPiece
            if first < rows { return (first..<min(first + perPiece, rows)).flatMap { Array(row($0).utf8) } }
            if first < rows + perPiece {
                return Array(
                    "</data></array></value>\n<value><array><data>\n\(build)</data></array></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n"
                        .utf8)
            }
            return nil
        }
    }

    private static func row(_ number: Int) -> String {
        """
        <value><struct>
        <member>
        <name>arch</name>
        <value><string>x86_64</string></value>
        </member>
        <member>
        <name>build_id</name>
        <value><int>1</int></value>
        </member>
        <member>
        <name>epoch</name>
        <value><nil/></value></member>
        \(number % 100 == 0 ? extra : "")<member>
        <name>id</name>
        <value><int>\(number + 1)</int></value>
        </member>
        <member>
        <name>name</name>
        <value><string>a-package-with-a-long-name-\(number / 10)</string></value>
        </member>
        <member>
        <name>payloadhash</name>
        <value><string>0f5af8b2c0a4c3c138409bc0a17e532d</string></value>
        </member>
        <member>
        <name>release</name>
        <value><string>1.fc26</string></value>
        </member>
        <member>
        <name>size</name>
        <value><i8>\(4_000_000_000 + number)</i8></value>
        </member>
        <member>
        <name>version</name>
        <value><string>1.\(number % 10)</string></value>
        </member>
        </struct></value>

        """
    }

    /// A member with members of its own, which are not the row's.
    private static let extra = """
        <member>
        <name>extra</name>
        <value><struct>
        <member>
        <name>name</name>
        <value><array><data><value>not the row's</value></data></array></value>
        </member>
        </struct></value>
        </member>

        """

    private static let build = """
        <value><struct>
        <member>
        <name>build_id</name>
        <value><int>1</int></value>
        </member>
        <member>
        <name>nvr</name>
        <value><string>a-1-1</string></value>
        </member>
        <member>
        <name>volume_name</name>
        <value><string>DEFAULT</string></value>
        </member>
        </struct></value>

        """

    @Test("an answer of 50,000 packages is taken in row by row as it arrives")
    func anAnswerOf50000Packages() async throws {
        struct Sum: Sendable, Equatable {
            var count = 0
            var builds = 0
            var ids = 0
            var sizes = 0
            var last = ""
        }
        try await ScriptedHub.with { scripted in
            scripted.behave { _, _ in .stream(Self.pieces(rows: 50_000)) }
            let sum = try await scripted.asked { hub in
                try await hub.listTaggedRPMS("large", into: Sum()) { sum, row in
                    switch row {
                    case .rpm(let rpm):
                        sum.count += 1
                        sum.ids += rpm.id
                        sum.sizes += rpm.size
                        sum.last = rpm.nvra
                    case .build: sum.builds += 1
                    }
                }
            }
            #expect(
                sum
                    == Sum(
                        count: 50_000, builds: 1, ids: 50_000 * 50_001 / 2, sizes: 4_000_000_000 * 50_000 + 50_000 * 49_999 / 2,
                        last: "a-package-with-a-long-name-4999-1.9-1.fc26.x86_64"))
        }
    }
}
