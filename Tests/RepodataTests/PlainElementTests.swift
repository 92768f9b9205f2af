import Compression
import Testing

@testable import Repodata

/// Which elements of a repository's metadata may go into another repository as they are.
@Suite("plain elements")
struct PlainElementTests {
    private static let pkgid = String(repeating: "0a", count: 32)
    private static let record = PackageRecord(
        nevra: NEVRA(name: "ed", epoch: 0, version: "1.20", release: "3", arch: "x86_64"), pkgid: Checksum(.sha256, hex: pkgid),
        repository: Checksum(.sha256, hex: pkgid), location: "ed.rpm", size: 3, sourceRPM: "ed-1.20-3.src.rpm")

    private static let primary = """
        <package type="rpm">
          <name>ed</name>
          <arch>x86_64</arch>
          <version epoch="0" ver="1.20" rel="3"/>
          <checksum type="sha256" pkgid="YES">\(pkgid)</checksum>
          <summary>A line editor &amp; more, “quoted”</summary>
          <description>Of
        two lines.</description>
          <packager></packager>
          <url>https://example.com/ed</url>
          <time file="1" build="2"/>
          <size package="3" installed="4" archive="5"/>
          <location href="Packages/ed.rpm"/>
          <format>
            <rpm:license>MIT</rpm:license>
            <rpm:sourcerpm>ed-1.20-3.src.rpm</rpm:sourcerpm>
            <rpm:header-range start="6" end="7"/>
            <rpm:provides>
              <rpm:entry name="ed" flags="EQ" epoch="0" ver="1.20" rel="3"/>
            </rpm:provides>
            <rpm:requires>
              <rpm:entry name="/bin/sh" pre="1"/>
            </rpm:requires>
            <file>/usr/bin/ed</file>
            <file type="dir">/etc/ed</file>
          </format>
        </package>
        """
    private static let filelists = """
        <package pkgid="\(pkgid)" name="ed" arch="x86_64">
          <version epoch="0" ver="1.20" rel="3"/>
          <file>/usr/bin/ed</file>
          <file type="ghost">/var/ed</file>
        </package>
        """
    private static let other = """
        <package pkgid="\(pkgid)" name="ed" arch="x86_64">
          <version epoch="0" ver="1.20" rel="3"/>
          <changelog author="Me &lt;me@example.com&gt; - 1.20-3" date="1">- Better.</changelog>
        </package>
        """

    private func isPlain(_ text: String, _ document: MetadataDocument) -> Bool {
        Array(text.utf8).withUnsafeBytes { PlainElement.isPlain($0, document, of: Self.record) }
    }

    @Test("what createrepo_c writes is plain, and the place of the file is found in it")
    func plain() throws {
        let bytes = Array(Self.primary.utf8)
        let range = try #require(bytes.withUnsafeBytes { PlainElement.location(in: $0, of: Self.record) })
        #expect(String(decoding: bytes[range], as: UTF8.self) == "<location href=\"Packages/ed.rpm\"/>")
        #expect(isPlain(Self.filelists, .filelists))
        #expect(isPlain(Self.other, .other))
    }

    @Test(
        "what is not well-formed, not rpm-md or not written so is not plain",
        arguments: [
            ("<name>ed</name>", "<name>ed</name><!-- -->"), ("<name>ed</name>", "<name>ed</name><name>ed</name>"),
            ("<name>ed</name>", "<name>ed"), ("<name>ed</name>", "<name>ed</arch>"), ("<name>ed</name>", "<name >ed</name>"),
            ("<name>ed</name>", ""), ("<name>ed</name>", "<name><![CDATA[ed]]></name>"), ("<name>ed</name>", "<name>e&#100;</name>"),
            ("<arch>x86_64</arch>", "<arch>i686</arch>"), ("rel=\"3\"/>\n  <checksum", "rel=\"4\"/>\n  <checksum"),
            ("type=\"sha256\"", "type='sha256'"), ("type=\"sha256\"", "type=\"sha256\" type=\"sha256\""),
            ("type=\"sha256\"", "type=\"sha\""),
            ("pkgid=\"YES\"", "pkgid=\"NO\""), ("&amp; more", "& more"), ("&amp; more", "&more;"), ("&amp; more", "> more"),
            ("&amp; more", "\u{1}"), ("&amp; more", "\u{FFFE}"), ("two lines.", "two <b>lines</b>."), ("<time ", "<when "),
            ("<time ", "<time mode=\"1\" "), ("<time file=\"1\"", "<time file=\"<\""), ("<format>", "<format>text"),
            ("<rpm:license>", "<license>"), ("<location href=\"Packages/ed.rpm\"/>", ""),
            ("<location href=\"Packages/ed.rpm\"/>", "<location href=\"Packages/ed.rpm\"></location>"),
            ("<location href=\"Packages/ed.rpm\"/>", "<location href=\"a\"/><location href=\"b\"/>"), ("</package>", "</package>\n"),
            ("</package>", "</package><package type=\"rpm\"></package>"), ("</package>", ""), ("type=\"rpm\"", "type=\"deb\""),
            ("type=\"rpm\"", "type=\"rpm\" xmlns=\"x\""), ("<rpm:entry name=\"/bin/sh\"", "<rpm:entry"), ("file=\"1\"", "file=\"-1\""),
            ("package=\"3\"", "package=\"4\""), ("package=\"3\" ", ""), ("flags=\"EQ\"", "flags=\"EQUAL\""), ("pre=\"1\"", "pre=\"yes\""),
            ("type=\"dir\"", "type=\"door\""), ("<rpm:requires>", "<rpm:provides></rpm:provides><rpm:requires>"),
            ("<rpm:license>MIT</rpm:license>", "<rpm:license>MIT</rpm:license><rpm:license>GPL</rpm:license>"),
        ])
    func notPlain(part: String, replacement: String) throws {
        try #require(Self.primary.contains(part))
        #expect(!isPlain(Self.primary.replacing(part, with: replacement), .primary))
    }

    @Test("a character may be written by its number", arguments: ["&#xE9;", "&#233;", "&#38;", "&#x1F4E6;", "&#9;"])
    func numbers(reference: String) {
        #expect(isPlain(Self.other.replacing("Me &lt;", with: "Me\(reference) &lt;"), .other))
    }

    @Test(
        "a number that is no character of XML is not plain",
        arguments: ["&#;", "&#x;", "&#0;", "&#8;", "&#xD800;", "&#xFFFF;", "&#x110000;", "&#99999999;", "&#a;", "&#XE9;", "&#38"])
    func badNumbers(reference: String) {
        #expect(!isPlain(Self.other.replacing("Me &lt;", with: "Me\(reference) &lt;"), .other))
    }

    @Test("of another package or another document it is not plain")
    func otherPackage() {
        #expect(!isPlain(Self.filelists.replacing("name=\"ed\"", with: "name=\"vi\""), .filelists))
        #expect(!isPlain(Self.filelists.replacing("0a0a", with: "0b0b"), .filelists))
        #expect(!isPlain(Self.filelists.replacing("ver=\"1.20\"", with: "ver=\"1.21\""), .filelists))
        #expect(!isPlain(Self.other, .filelists))
        #expect(!isPlain(Self.filelists, .other))
        #expect(!isPlain(Self.filelists, .primary))
    }

    @Test("a name with characters of XML is escaped in the place of a file")
    func escaping() {
        #expect(PlainElement.escaped("a&b<c>\"d\"'") == "a&amp;b&lt;c&gt;&quot;d&quot;'")
    }
}
