import CSolv
import Foundation
import Repodata
import SystemPackage
import Testing

@testable import Depsolve

@Suite("Primary documents that are read without libsolv's parser")
struct PlainPrimaryTests {
    /// Returns what the `.solv` file of a document has: all packages with all data that is used. `nil` if the document is not plain.
    private func plainly(_ document: [UInt8]) -> [UInt8]? {
        Self.solv { repository in
            let isPlain = document.withUnsafeBytes { PlainPrimary.read($0, into: repository) }
            #expect(isPlain || repository.pointee.nsolvables == 0)
            return isPlain
        }
    }

    /// The same, by libsolv's parser. Returns `nil` if it refuses the document.
    private func byLibsolv(_ document: [UInt8]) -> [UInt8]? {
        Self.solv { repository in
            document.withUnsafeBytes { bytes in
                guard let file = fmemopen(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, "r") else { return false }
                defer { fclose(file) }
                return repo_add_rpmmd(repository, file, nil, 0) == 0
            }
        }
    }

    private static func solv(_ read: (UnsafeMutablePointer<Repo>) -> Bool) -> [UInt8]? {
        let pool = pool_create()!
        defer { pool_free(pool) }
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        let repository = repo_create(pool, "")!
        guard read(repository) else { return nil }
        var bytes: UnsafeMutablePointer<CChar>?
        var count = 0
        let file = open_memstream(&bytes, &count)!
        #expect(SolvFile.write(repository, cookie: "", to: file))
        fclose(file)
        defer { free(bytes) }
        return UnsafeRawBufferPointer(start: bytes, count: count).map { $0 }
    }

    @Test("the packages are those of libsolv's parser", arguments: World.all)
    func worlds(_ world: World) async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            for metadata in request.repositories + request.lookaside {
                let document = [UInt8](try Data(contentsOf: URL(filePath: metadata.primary.string)))
                let found = try #require(plainly(document), "\(world.testDescription) is not plain")
                #expect(found == byLibsolv(document), "\(world.testDescription)")
            }
        }
    }

    /// A document with all elements and attributes that createrepo_c writes.
    private static let document = """
        <?xml version="1.0" encoding="UTF-8"?>
        <metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="3">
        <package type="rpm">
          <name>first</name>
          <arch>x86_64</arch>
          <version epoch="0" ver="1.0~rc1" rel="1.fc43"/>
          <checksum type="sha256" pkgid="YES">\(String(repeating: "0a", count: 32))</checksum>
          <summary>A &amp; B, na\u{EF}ve \u{1F40D}</summary>
          <description>Line one.

        \tLine [two] &lt;three&gt;&#13; &quot;four&quot; &apos;five&apos;</description>
          <packager>Somebody &lt;somebody@example.com&gt;</packager>
          <url/>
          <time file="1691675687" build="1691675687"/>
          <size package="4626" installed="10" archive="2548"/>
          <location xml:base="https://example.com/a&amp;b/" href="Packages/f/first-1.0~rc1-1.fc43.x86_64.rpm"/>
          <format>
            <rpm:license>MIT</rpm:license>
            <rpm:vendor>first</rpm:vendor>
            <rpm:group>Unspecified</rpm:group>
            <rpm:buildhost>builder.example.com</rpm:buildhost>
            <rpm:sourcerpm>first-1.0~rc1-1.fc43.src.rpm</rpm:sourcerpm>
            <rpm:header-range start="360" end="4281"/>
            <rpm:provides>
              <rpm:entry name="first" flags="EQ" epoch="0" ver="1.0~rc1" rel="1.fc43"/>
              <rpm:entry name="config(first)" flags="EQ" epoch="2" ver="1" rel="1"/>
            </rpm:provides>
            <rpm:requires>
              <rpm:entry name="/bin/sh" pre="1"/>
              <rpm:entry name="second" flags="GE" epoch="0" ver="1"/>
              <rpm:entry name="second" flags="GE" epoch="0" ver="1"/>
              <rpm:entry name="(second &gt;= 2 if third)"/>
              <rpm:entry name="(broken"/>
              <rpm:entry name="/bin/sh"/>
              <rpm:entry name="second" flags="LE" epoch="1" ver="3" rel="4" pre="1"/>
            </rpm:requires>
            <rpm:conflicts><rpm:entry name="third" flags="LT" epoch="0" ver="2"/></rpm:conflicts>
            <rpm:obsoletes><rpm:entry name="zero" flags="GT" epoch="0" ver="2"/></rpm:obsoletes>
            <rpm:recommends><rpm:entry name="third"/></rpm:recommends>
            <rpm:suggests/>
            <file>/etc/first.conf</file>
            <file>/usr/bin/first</file>
            <file type="dir">/etc/first.d</file>
            <file type="ghost">/etc/first.d/a&amp;b</file>
            <file>/first</file>
          </format>
        </package>
        <package type="rpm">
          <name>second</name>
          <arch>src</arch>
          <version epoch="3" ver="2" rel="1"/>
          <checksum type="sha512" pkgid="YES">\(String(repeating: "Bc", count: 64))</checksum>
          <summary></summary>
          <location href="./second.rpm"/>
          <format>
            <rpm:sourcerpm/>
            <rpm:supplements><rpm:entry name="first"/></rpm:supplements>
            <rpm:enhances><rpm:entry name="first"/></rpm:enhances>
          </format>
        </package>
        <package type="rpm"><name>third</name><checksum type="md5">\(String(repeating: "d", count: 32))</checksum></package>
        </metadata>

        """

    @Test("all that createrepo_c writes is plain")
    func everyElement() throws {
        let document = Array(Self.document.utf8)
        #expect(try #require(plainly(document)) == byLibsolv(document))
    }

    @Test(
        "libsolv's parser reads the rest",
        arguments: [
            ("<url/>", "<!-- comment -->"), ("<url/>", "<![CDATA[text]]>"), ("<url/>", "<?target?>"), ("<url/>", "<unknown/>"),
            ("<url/>", "text"),
            ("<url/>", "<url a=\"1\"/>"), ("<name>first</name>", "<name>f&#105;rst</name>"), ("<name>first</name>", "<name/>"),
            ("type=\"rpm\"", "type='rpm'"), ("pre=\"1\"", "pre=\"1\" kind=\"pattern\""), ("\"GE\"", "\"NE\""), ("ver=\"1\"", "ver=\"1:1\""),
            ("https:", "media:"), ("/etc/first.conf", "etc/first.conf"), ("MIT", "\r\n"), ("UTF-8", "utf-8"),
        ])
    func unusual(_ old: String, _ new: String) throws {
        let document = Array(Self.document.replacing(old, with: new).utf8)
        #expect(plainly(document) == nil)
    }

    @Test("a random change is never read in another way than by libsolv's parser", arguments: 1...20)
    func mutations(_ seed: Int) throws {
        var dice = Dice(seed: seed)
        let original = Array(Self.document.utf8)
        let pieces = [
            "<", ">", "&", "&amp;", "\"", "/", "]]>", "<file>", "</file>", " pre=\"1\"", "<rpm:entry name=\"x\"/>", "<url/>", "\u{0}", "\n",
        ]
        var plain = 0
        for _ in 0..<300 {
            var document = original
            for _ in 0...dice.roll(2) {
                let position = dice.roll(document.count)
                switch dice.roll(5) {
                case 0: document[position] = UInt8(dice.roll(256))
                case 1: document[position] = document[dice.roll(document.count)]
                case 2: document.removeSubrange(position..<min(document.count, position + 1 + dice.roll(40)))
                case 3: document.insert(contentsOf: dice.pick(pieces).utf8, at: position)
                default:
                    let copied = Array(document[position..<min(document.count, position + dice.roll(120))])
                    document.insert(contentsOf: copied, at: dice.roll(document.count))
                }
            }
            guard let found = plainly(document) else { continue }
            plain += 1
            let text = String(decoding: document, as: UTF8.self)
            #expect(found == byLibsolv(document), "seed \(seed): \(text)")
        }
        #expect(plain > 5)
    }
}
