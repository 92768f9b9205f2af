import Compression
import Repodata
import SystemPackage
import Testing

@Suite("repomd.xml")
struct RepomdTests {
    private static let sha256 = String(repeating: "0123456789abcdef", count: 4)

    private func repomd(_ data: String, before: String = "") -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="UTF-8"?>\(before)
            <repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
              <revision>1790000000</revision>\(data)
            </repomd>
            """.utf8)
    }

    private func data(_ type: String = "primary", href: String = "repodata/primary.xml.gz", checksum: String = sha256) -> String {
        "<data type=\"\(type)\"><checksum type=\"sha256\">\(checksum)</checksum><location href=\"\(href)\"/></data>"
    }

    @Test("every field of a record is read")
    func allFields() throws {
        let bytes = repomd(
            """
            <data type="primary">
              <checksum type="sha">\(String(repeating: "ab", count: 20))</checksum>
              <open-checksum type="sha256">\(Self.sha256)</open-checksum>
              <location xml:base="https://example.com/a/" href="repodata/primary.xml.gz"/>
              <timestamp>1790000000.25</timestamp><size>12</size><open-size>345</open-size>
            </data>
            """)
        let parsed = try Repomd(parsing: bytes)
        let record = try #require(parsed.record("primary"))
        #expect(parsed.revision == "1790000000")
        #expect(record.checksum == Checksum(.sha1, hex: String(repeating: "ab", count: 20)))
        #expect(record.openChecksum == Checksum(.sha256, hex: Self.sha256))
        #expect(record.location == "repodata/primary.xml.gz")
        #expect(record.base == "https://example.com/a/")
        #expect(record.timestamp == 1_790_000_000)
        #expect(record.size == 12)
        #expect(record.openSize == 345)
        #expect(parsed.record("modules") == nil)
    }

    @Test("what createrepo_c wrote is read, and its id is the checksum of the file")
    func createrepo() async throws {
        let file = try await SampleRepository.shared.path.appending("repodata/repomd.xml")
        let parsed = try Repomd(parsing: try file.bytes)
        #expect(parsed.records.map(\.type) == ["primary", "filelists", "other"])
        #expect(parsed.id == (try FileChecksum.of(file, .sha256)))
    }

    @Test(
        "a document type declaration is refused before anything is parsed",
        arguments: ["<!DOCTYPE repomd [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]>", "<!DOCTYPE repomd SYSTEM \"file:///etc/passwd\">"])
    func xmlBomb(declaration: String) {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data(), before: declaration)) }
        #expect(error?.code == .forbidden)
    }

    @Test("an element with very many attributes is refused before they are compared with each other")
    func manyAttributes() {
        let many = (0..<50_000).map { "a\($0)=\">\"" }.joined(separator: " ")
        for text in ["<x \(many)/>", "<!-- ' --><x \(many)/>", "<?x '?><x \(many)/>", "<x><![CDATA[\"]]><y \(many)/></x>", "<x\n\(many)"] {
            let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data() + text)) }
            #expect(error?.message == "repomd.xml has an element with more than 64 attributes")
        }
        #expect(throws: Never.self) {
            try Repomd(parsing: repomd(data() + "<!-- \(many) --><y z=\"\(String(repeating: "=", count: 100))\"/>"))
        }
    }

    @Test("numbers are read or refused, whatever they are")
    func extremeNumbers() {
        for number in [
            "9223372036854775807", "9223372036854775808", "-1", "-9223372036854775808", "1e400", String(repeating: "9", count: 1000),
        ] {
            for name in ["size", "open-size", "timestamp"] {
                let text = data().replacing("</data>", with: "<\(name)>\(number)</\(name)></data>")
                // Either will do. What must not be is that the process ends.
                do { _ = try Repomd(parsing: repomd(text)) } catch { continue }
            }
        }
    }

    @Test("another encoding cannot hide a declaration")
    func otherEncoding() {
        let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><!DOCTYPE a []><repomd/>"
        let bytes: [UInt8] = [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(throws: RepodataError.self) { try Repomd(parsing: bytes) }
    }

    @Test(
        "a location that leaves the repository is refused",
        arguments: [
            "/etc/passwd", "https://evil.example/primary.xml", "../other/primary.xml", "repodata/../../x", "repodata/%2e%2E/%2e./x",
            "a%2f..%2fb",
            "..\\x", "file:primary.xml", "HTTP://x", "", "a\u{7F}", "a%00b", "x/..",
        ])
    func foreignLocation(href: String) {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data(href: href))) }
        #expect(error?.code == .forbidden)
    }

    @Test(
        "dots that are part of a name are no step upwards",
        arguments: ["repodata/a..b.xml", "x/.hidden", "x/...", "a/b:c.xml", "100%", "%zz/x", "größe.xml", "a%20b"])
    func harmlessLocation(href: String) throws {
        #expect(try Repomd(parsing: repomd(data(href: href))).record("primary")?.location == href)
    }

    @Test("without primary metadata it is no repository")
    func noPrimary() {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data("filelists"))) }
        #expect(error?.message.contains("primary") == true)
    }

    @Test("text that is not well-formed is refused with the line")
    func malformed() {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data() + "\n<data>")) }
        #expect(error?.code == .malformed)
        #expect(error?.message.contains("line ") == true)
    }

    @Test("a web page is not taken for a repository")
    func webPage() {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: Array("<html><body>Sign in</body></html>".utf8)) }
        #expect(error?.message.contains("<html>") == true)
    }

    @Test("a checksum must be a digest of the type it names", arguments: ["", "abc", sha256 + "00", String(repeating: "g", count: 64)])
    func badChecksum(hex: String) {
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: repomd(data(checksum: hex))) }
        #expect(error?.code == .malformed)
    }

    @Test(
        "an odd record of a document that nobody reads does no harm",
        arguments: [
            "<data><location href=\"a\"/></data>", "<data type=\"group\"><location href=\"a\"/></data>", "<data type=\"group\"/>",
            "<data type=\"group\"><checksum type=\"crc\">1</checksum><location href=\"https://example.com/a\"/></data>",
        ])
    func oddRecord(odd: String) throws {
        #expect(try Repomd(parsing: repomd(odd + data() + odd)).records.map(\.type) == ["primary"])
    }

    @Test("sizes and times that are no numbers are unknown", arguments: ["", "-1", "large", "99999999999999999999"])
    func oddNumbers(number: String) throws {
        let text = String(decoding: repomd(data()), as: UTF8.self).replacing(
            "</data>", with: "<timestamp>\(number)</timestamp><size>\(number)</size><open-size>\(number)</open-size></data>")
        let record = try #require(try Repomd(parsing: Array(text.utf8)).record("primary"))
        #expect(record.timestamp == nil && record.size == nil && record.openSize == nil)
    }

    @Test("another encoding than UTF-8 is named")
    func encoding() {
        let text = String(decoding: repomd(data()), as: UTF8.self).replacing("\"UTF-8\"", with: "'ISO-8859-1'")
        let error = #expect(throws: RepodataError.self) { try Repomd(parsing: Array(text.utf8)) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.hasPrefix("repomd.xml is not encoded in UTF-8: it says encoding=\"ISO-8859-1\".") == true)
    }

    @Test("nothing is no repository")
    func empty() {
        #expect(throws: RepodataError.self) { try Repomd(parsing: [UInt8]()) }
    }
}
