import Compression
import Foundation
import SystemPackage

/// A repository of small packages that changes at random.
///
/// Its package files are texts. The service opens no package whose metadata is complete.
struct ChangingRepository: Sendable {
    struct Package: Sendable {
        var name: String
        var version = 1
        /// The content of its file. Packages with the same content have the same pkgid.
        var content = ""
        var summary = "A package"
        /// By kind, as rpm-md calls the kinds.
        var dependencies: [String: [String]] = [:]
        var files: [String] = []
        /// The number of entries of its change log.
        var entries = 1

        var nvra: String { "\(name)-\(version)-1.x86_64" }
        var pkgid: String { Digest.of(Array(content.utf8), .sha256).hex }
        var location: String { "Packages/\(pkgid.prefix(8))/\(nvra).rpm" }
    }

    /// The documents, and what repomd.xml says of them.
    struct Documents: Equatable, Sendable {
        /// The texts of primary, filelists, other and modules, by type.
        var texts: [String: String] = [:]
        /// The bytes of documents that are not stored as their texts.
        var stored: [String: [UInt8]] = [:]
        var isCompressed = false
        /// A type whose checksum in repomd.xml is wrong.
        var wrong: String?
    }

    /// How the documents begin, and what stands between their elements.
    private enum Style: CaseIterable {
        case usual, comment, quotes, uncounted, spaced
    }

    let directory: FilePath
    private(set) var packages: [Package] = []
    private var style = Style.usual
    private var isOtherReversed = false
    private var lacksOther = false
    private var isCompressed = false
    /// The default stream of the module `m`, which has the first packages of the repository. `nil` if there are no modules.
    private var stream: Int?
    private var serial = 0

    /// How many names packages have.
    static let names = 40

    init(_ directory: FilePath, count: Int, _ dice: inout Dice) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory.appending("repodata").string, withIntermediateDirectories: true)
        for _ in 0..<count { packages.append(try newPackage(&dice)) }
        stream = dice.roll(2) == 0 ? 1 : nil
    }

    // MARK: Changes

    private static let usual = [
        "replace", "rebuild", "remove", "add", "move", "other bytes", "only filelists", "only other", "requires a path",
    ]
    /// Revisions with these changes are read as a whole, or the next ones are.
    private static let unusual = ["pkgid twice", "header", "order of other", "no other", "compression", "modules"]

    /// Makes one change, and returns its name.
    mutating func change(_ dice: inout Dice) throws -> String {
        // Documents of an unusual form are read as a whole. They do not stay for long.
        if style != .usual, dice.roll(3) > 0 { style = .usual }
        if dice.roll(3) > 0 { removeDuplicates() }
        let place = dice.roll(packages.count)
        let kind = dice.pick(dice.roll(4) == 0 ? Self.unusual : Self.usual)
        switch kind {
        case "replace":
            packages[place].version += 1
            try renew(place)
        case "rebuild": try renew(place)
        case "remove": if packages.count > 30 { packages.remove(at: place) }
        case "add": packages.insert(try newPackage(&dice), at: place)
        case "move": packages.insert(packages.remove(at: place), at: dice.roll(packages.count))
        case "pkgid twice":
            var other = packages[place]
            if dice.roll(2) == 0 { other.summary += ", again" }
            if dice.roll(3) == 0 { other.name = "twin" }
            if dice.roll(2) == 0 {
                packages.append(other)
            } else {
                packages[dice.roll(packages.count)] = other
            }
            try writeFile(of: other)
        case "other bytes":
            if dice.roll(2) == 0 {
                packages[place].summary += "."
            } else {
                packages[place].dependencies["requires", default: []].append("p\(dice.roll(Self.names))")
            }
        case "only filelists": packages[place].files.append("/usr/share/doc/\(packages[place].name)/\(dice.roll(20))")
        case "only other": packages[place].entries += 1
        case "header": style = dice.pick(Style.allCases)
        case "order of other": isOtherReversed.toggle()
        case "no other": lacksOther.toggle()
        case "compression": isCompressed.toggle()
        case "modules": stream = dice.pick([nil, 1, 2])
        default:
            packages[place].files.append("/usr/bin/tool\(dice.roll(20))")
            packages[dice.roll(packages.count)].dependencies["requires", default: []].append("/usr/bin/tool\(dice.roll(20))")
            packages[dice.roll(packages.count)].dependencies["requires", default: []].append("/usr/share/doc/p1/\(dice.roll(20))")
        }
        if lacksOther, dice.roll(2) == 0 { lacksOther = false }
        return kind
    }

    private mutating func removeDuplicates() {
        var known: Set<String> = []
        packages.removeAll { !known.insert($0.pkgid).inserted }
    }

    /// Gives a package a new file, with another checksum.
    mutating func renew(_ place: Int) throws {
        serial += 1
        packages[place].content = "\(packages[place].nvra) \(serial)"
        try writeFile(of: packages[place])
    }

    private func writeFile(of package: Package) throws {
        let path = directory.appending(package.location)
        try FileManager.default.createDirectory(atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(package.content.utf8).write(to: URL(filePath: path.string))
    }

    private mutating func newPackage(_ dice: inout Dice) throws -> Package {
        serial += 1
        var package = Package(name: "p\(dice.roll(Self.names))", version: dice.roll(3) + 1)
        package.content = "\(package.nvra) \(serial)"
        for _ in 0..<dice.roll(3) { package.dependencies["requires", default: []].append(Self.dependency(&dice)) }
        if dice.roll(2) == 0 { package.dependencies["provides", default: []].append("c\(dice.roll(6))") }
        if dice.roll(8) == 0 { package.dependencies["conflicts", default: []].append("p\(dice.roll(Self.names)) < 2") }
        if dice.roll(12) == 0 { package.dependencies["obsoletes", default: []].append("p\(dice.roll(Self.names)) < 2") }
        for _ in 0..<dice.roll(4) {
            let kind = dice.pick(["recommends", "suggests", "supplements", "enhances"])
            package.dependencies[kind, default: []].append(Self.dependency(&dice))
        }
        package.files = dice.roll(2) == 0 ? [] : ["/usr/bin/tool\(dice.roll(20))", "/usr/share/doc/\(package.name)/\(dice.roll(20))"]
        try writeFile(of: package)
        return package
    }

    private static func dependency(_ dice: inout Dice) -> String {
        let (a, b) = ("p\(dice.roll(names))", "c\(dice.roll(7))")
        return switch dice.roll(9) {
        case 0: "(\(a) or \(b))"
        case 1: "(\(a) if \(b))"
        case 2: "\(a) >= 2"
        case 3...5: b
        default: a
        }
    }

    // MARK: Documents

    var documents: Documents {
        var documents = Documents(isCompressed: isCompressed)
        documents.texts["primary"] = document(
            "metadata", "xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\"",
            packages.map(Self.primary))
        documents.texts["filelists"] = document(
            "filelists", "xmlns=\"http://linux.duke.edu/metadata/filelists\"",
            packages.map { Self.element($0, $0.files.map { "  <file>\($0)</file>\n" }) })
        if !lacksOther {
            let elements = packages.map { package in
                Self.element(
                    package,
                    (0..<package.entries).map {
                        "  <changelog author=\"A &lt;a@example.org&gt; - 1\" date=\"\(1000 + $0)\">- \($0)</changelog>\n"
                    })
            }
            documents.texts["other"] = document(
                "otherdata", "xmlns=\"http://linux.duke.edu/metadata/other\"", isOtherReversed ? elements.reversed() : elements)
        }
        if let stream {
            documents.texts["modules"] =
                ModularWorld.defaults(of: "m", stream: "\(stream)") + module("1", packages.prefix(2))
                + module("2", packages.dropFirst(2).prefix(2))
        }
        return documents
    }

    private func module(_ stream: String, _ packages: some Sequence<Package>) -> String {
        ModularWorld.Module(name: "m", stream: stream, packages: packages.map { .init(name: $0.name, version: "\($0.version)") }).document()
    }

    private func document(_ root: String, _ namespaces: String, _ elements: [String]) -> String {
        let number = style == .quotes ? " packages='\(elements.count)'" : " packages=\"\(elements.count)\""
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + (style == .comment ? "<!-- \(serial) -->\n" : "")
            + "<\(root) \(namespaces)\(style == .uncounted ? "" : number)>\n" + elements.joined(separator: style == .spaced ? "\n" : "")
            + "</\(root)>\n"
    }

    private static func element(_ package: Package, _ lines: [String]) -> String {
        "<package pkgid=\"\(package.pkgid)\" name=\"\(package.name)\" arch=\"x86_64\">\n"
            + "  <version epoch=\"0\" ver=\"\(package.version)\" rel=\"1\"/>\n\(lines.joined())</package>\n"
    }

    private static func primary(_ package: Package) -> String {
        var dependencies = package.dependencies
        dependencies["provides", default: []].append("\(package.name) = \(package.version)")
        let lists = ["provides", "requires", "conflicts", "obsoletes", "suggests", "enhances", "recommends", "supplements"].map { kind in
            let entries = dependencies[kind, default: []].map { "      \(entry($0))\n" }.joined()
            return entries.isEmpty ? "" : "    <rpm:\(kind)>\n\(entries)    </rpm:\(kind)>\n"
        }
        return """
            <package type="rpm">
              <name>\(package.name)</name>
              <arch>x86_64</arch>
              <version epoch="0" ver="\(package.version)" rel="1"/>
              <checksum type="sha256" pkgid="YES">\(package.pkgid)</checksum>
              <summary>\(package.summary)</summary>
              <description>A package for tests.</description>
              <packager></packager>
              <url></url>
              <time file="1000" build="1000"/>
              <size package="\(package.content.utf8.count)" installed="1" archive="1"/>
              <location href="\(package.location)"/>
              <format>
                <rpm:license>MIT</rpm:license>
                <rpm:vendor></rpm:vendor>
                <rpm:group>Unspecified</rpm:group>
                <rpm:buildhost>localhost</rpm:buildhost>
                <rpm:sourcerpm>\(package.name)-\(package.version)-1.src.rpm</rpm:sourcerpm>
                <rpm:header-range start="1" end="2"/>
            \(lists.joined())\(package.files.filter { $0.contains("bin/") }.map { "    <file>\($0)</file>\n" }.joined())  </format>
            </package>

            """
    }

    /// `name`, `name = version`, or a rich dependency.
    private static func entry(_ dependency: String) -> String {
        let words = dependency.split(separator: " ")
        let flags = ["=": "EQ", "<": "LT", ">=": "GE"]
        guard words.count == 3, let flag = flags[String(words[1])] else { return "<rpm:entry name=\"\(dependency)\"/>" }
        return "<rpm:entry name=\"\(words[0])\" flags=\"\(flag)\" epoch=\"0\" ver=\"\(words[2])\"/>"
    }

    /// Makes the documents those of the repository. Returns the name of the revision: the digest of its repomd.xml.
    func write(_ documents: Documents) throws -> String {
        var records = ""
        func write(_ bytes: [UInt8], to name: String) throws {
            try Data(bytes).write(to: URL(filePath: directory.appending("repodata/\(name)").string))
        }
        for (type, text) in documents.texts.sorted(by: { $0.key < $1.key }) {
            let suffix = (type == "modules" ? "yaml" : "xml") + (documents.isCompressed || documents.stored[type] != nil ? ".gz" : "")
            let bytes = documents.stored[type] ?? (documents.isCompressed ? Self.gzip(Array(text.utf8)) : Array(text.utf8))
            try write(bytes, to: "\(type).\(suffix)")
            let checksum = Digest.of(documents.wrong == type ? bytes + [0] : bytes, .sha256).hex
            records += "<data type=\"\(type)\"><checksum type=\"sha256\">\(checksum)</checksum>"
            records += "<location href=\"repodata/\(type).\(suffix)\"/><size>\(bytes.count)</size></data>\n"
        }
        let repomd = Array(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\n\(records)</repomd>\n".utf8
        )
        try write(repomd, to: "repomd.xml")
        return Digest.of(repomd, .sha256).hex
    }

    /// Returns a gzip file of bytes that are stored as they are.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] {
        func little(_ number: some FixedWidthInteger) -> [UInt8] { withUnsafeBytes(of: number.littleEndian) { Array($0) } }
        var file: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            file += [rest.isEmpty ? 1 : 0] + little(UInt16(block.count)) + little(~UInt16(block.count)) + block
        } while !rest.isEmpty
        return file + little(bytes.withUnsafeBytes { CRC32.of($0) }) + little(UInt32(truncatingIfNeeded: bytes.count))
    }
}
