import Foundation
import ImageArchive
import SystemPackage
import Testing

@Suite("tar archives")
struct TarReaderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static let longName = (0..<15).map { "directory-\($0)" }.joined(separator: "/") + "/file"

    /// Makes a folder with files of all kinds.
    private func folder(linkTarget: String = longName) throws -> FilePath {
        let folder = directory.path.appending("in")
        let manager = FileManager.default
        try manager.createDirectory(
            atPath: folder.appending(Self.longName).removingLastComponent().string, withIntermediateDirectories: true)
        try Data("long".utf8).write(to: URL(fileURLWithPath: folder.appending(Self.longName).string))
        try Data(repeating: 7, count: 100_000).write(to: URL(fileURLWithPath: folder.appending("big").string))
        try Data().write(to: URL(fileURLWithPath: folder.appending("empty").string))
        try manager.createSymbolicLink(atPath: folder.appending("symbolic").string, withDestinationPath: linkTarget)
        try manager.linkItem(atPath: folder.appending("big").string, toPath: folder.appending("hard").string)
        return folder
    }

    @Test("archives of GNU tar are read in each of its formats", arguments: ["gnu", "pax", "ustar", "posix", "oldgnu"], [1, 511, 100_000])
    func gnuTar(format: String, step: Int) async throws {
        // A link in ustar format has at most 100 bytes.
        let target = format == "ustar" ? "big" : Self.longName
        let archive = directory.path.appending("x.tar")
        try await Tool.run(
            "tar", "--format=\(format)", "--sort=name", "-C", try folder(linkTarget: target).string, "-cf", archive.string, ".")
        let found = try TarCollector.read(try archive.bytes, step: step)
        #expect(found["./\(Self.longName)"]?.content == Array("long".utf8))
        #expect(found["./big"]?.content == [UInt8](repeating: 7, count: 100_000))
        #expect(found["./empty"]?.entry.size == 0)
        #expect(found["./symbolic"]?.entry.kind == .symbolicLink)
        #expect(found["./symbolic"]?.entry.link == Array(target.utf8))
        #expect(found["./hard"]?.entry.kind == .hardLink)
        #expect(found["./hard"]?.entry.link == Array("./big".utf8))
        #expect(found["./directory-0/"]?.entry.kind == .directory)
    }

    @Test("archives of Python's tarfile are read in each of its formats", arguments: ["GNU", "PAX", "USTAR"])
    func python(format: String) async throws {
        let target = format == "USTAR" ? "big" : Self.longName
        let archive = directory.path.appending("x.tar")
        let script = """
            import tarfile
            with tarfile.open('\(archive)', 'w', format=tarfile.\(format)_FORMAT) as tar: tar.add('\(try folder(linkTarget: target))', 'in')
            """
        try await Tool.run("python3", "-c", script)
        let found = try TarCollector.read(try archive.bytes)
        #expect(found["in/\(Self.longName)"]?.content == Array("long".utf8))
        #expect(found["in/symbolic"]?.entry.link == Array(target.utf8))
    }

    @Test("a sparse file of GNU tar is refused", arguments: ["gnu", "pax"])
    func sparse(format: String) async throws {
        let file = directory.path.appending("sparse")
        try await Tool.run("truncate", "-s", "10M", file.string)
        let archive = directory.path.appending("x.tar")
        try await Tool.run("tar", "--format=\(format)", "-S", "-C", directory.path.string, "-cf", archive.string, "sparse")
        let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(try archive.bytes) }
        #expect(error?.code == .unsupported)
        #expect(error?.message.hasSuffix("is a sparse file in a format of GNU tar, which is not read.") == true)
    }

    @Test("written archives are read by GNU tar and by us, and are the same each time")
    func roundTrip() async throws {
        var long = TarEntry.file(Self.longName, mode: 0o755)
        long.modified = 1_700_000_000
        let entries = [
            (TarEntry.directory("d/"), ""), (long, "content"), (.link(.symbolicLink, "s", to: Self.longName), ""), (.file("ä"), "ä"),
        ]
        let bytes = try MemorySink.tar(entries)
        #expect(try MemorySink.tar(entries) == bytes)
        let found = try TarCollector.read(bytes)
        #expect(found.names == ["d/", Self.longName, "s", "ä"])
        #expect(found[Self.longName]?.entry.mode == 0o755)
        #expect(found[Self.longName]?.entry.modified == 1_700_000_000)
        #expect(found["s"]?.entry.link == Array(Self.longName.utf8))
        let archive = try directory.file("x.tar", bytes)
        #expect(try await Tool.run("tar", "-tf", archive.string).output.split(separator: "\n").count == 4)
        #expect(try await Tool.run("tar", "-xOf", archive.string, Self.longName).output == "content")
    }

    @Test("a size of 8 GiB or more is written so that GNU tar and Python read it")
    func largeSize() async throws {
        let sink = MemorySink()
        let writer = TarWriter(to: sink)
        try writer.begin(TarEntry(file: "large", size: 1 << 35))
        let archive = try directory.file("x.tar", sink.bytes)
        let listed = try await Tool.run("python3", "-c", "import tarfile; print(tarfile.open('\(archive)').next().size)")
        #expect(listed.output == "\(1 << 35)\n")
    }

    // MARK: Bad input

    /// Returns a header with a size field and the right checksum.
    private func header(size: [UInt8]) throws -> [UInt8] {
        var block = Array(try MemorySink.tar([(.file("victim"), "")]).prefix(512))
        block.replaceSubrange(124..<136, with: size)
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        block.replaceSubrange(148..<156, with: Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20])
        return block
    }

    @Test("a size of 2^63 or more in base 256 is refused")
    func sizeBeyond63Bits() throws {
        let size: [UInt8] = [0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]
        let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(try header(size: size)) }
        #expect(error?.message == #"The size of the entry "victim" is 2^63 or more."#)
    }

    @Test("a negative size is refused")
    func negativeSize() throws {
        let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(try header(size: [UInt8](repeating: 0xFF, count: 12))) }
        #expect(error?.message == #"The size of the entry "victim" is negative."#)
    }

    @Test("a size that is no number is refused")
    func sizeWithoutNumber() throws {
        let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(try header(size: Array("0000000009x\0".utf8))) }
        #expect(error?.message == #"The size of the entry "victim" is not a number."#)
    }

    @Test(
        "pax records that are wrong are refused, each with a sentence",
        arguments: [
            ("28 size=9223372036854775808\n", "The pax record size of the archive is 2^63 or more."),
            ("11 size=-1\n", #"The size of the entry "victim" is negative."#),
            ("11 size=x1\n", "The pax record size of the archive is not a number."),
            ("99 size=1\n", "A pax header of the archive has a record without a length, keyword or end."),
            ("99999999999999999999 size=1\n", "A pax header of the archive has a record without a length, keyword or end."),
            ("2 \n", "A pax header of the archive has a record without a length, keyword or end."),
            ("12 path=a\0b\n", "The pax record path of the archive has a NUL."),
        ])
    func wrongPax(record: String, message: String) throws {
        var bytes = Array(try MemorySink.tar([(TarEntry(.other(UInt8(ascii: "x")), path: []), record)]).dropLast(1024))
        bytes += try MemorySink.tar([(.file("victim"), "")])
        let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(bytes) }
        #expect(error?.message == message)
    }

    @Test("a global pax header that sets the path of every entry is refused")
    func globalPath() throws {
        let bytes = try MemorySink.tar([(TarEntry(.other(UInt8(ascii: "g")), path: []), "9 path=a\n")])
        #expect(throws: ImageArchiveError.self) { try TarCollector.read(bytes) }
    }

    @Test("an archive with too many entries, bytes or bytes of metadata is refused")
    func limits() throws {
        let bytes = try MemorySink.tar((0..<10).map { (.file("\($0)" + String(repeating: "x", count: 200)), "content") })
        for (change, part) in [
            ({ $0.entries = 9 }, "9 entries"), ({ $0.bytes = 5000 }, "5000 bytes"), ({ $0.metadata = 3000 }, "3000 bytes of metadata"),
            ({ $0.metadataOfEntry = 100 }, "100 bytes of metadata"),
        ] as [((inout TarLimits) -> Void, String)] {
            var limits = TarLimits()
            change(&limits)
            let error = #expect(throws: ImageArchiveError.self) { try TarCollector.read(bytes, limits: limits) }
            #expect(error?.code == .tooLarge)
            #expect(error?.message.contains(part) == true, "\(part)")
        }
    }

    @Test("a truncated archive is refused wherever it was cut in an entry")
    func truncated() throws {
        let bytes = try MemorySink.tar([(.file(String(repeating: "x", count: 150)), "content")])
        for length in [1, 511, 512, 600, 1024, 1100, 1535, 1540, 2000] {
            let error = #expect(throws: ImageArchiveError.self, "\(length)") { try TarCollector.read(Array(bytes[..<length])) }
            #expect(error?.code == .truncated)
        }
    }

    @Test("bytes that were changed anywhere never trap")
    func damaged() throws {
        let bytes = try MemorySink.tar([
            (.file(String(repeating: "x", count: 150)), "content"), (.link(.hardLink, "l", to: "m"), ""), (.directory("d/"), ""),
        ])
        var seed = UInt64(15)
        for _ in 0..<3000 {
            var damaged = bytes
            for _ in 0..<3 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(seed >> 33) % damaged.count] = UInt8(truncatingIfNeeded: seed >> 20)
            }
            _ = try? TarCollector.read(damaged)
        }
    }
}
