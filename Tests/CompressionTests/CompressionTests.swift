import Compression
import Foundation
import SystemPackage
import Testing

@Suite("compression")
struct CompressionTests {
    private let directory: TemporaryDirectory
    /// Larger than what is read at once, and neither random nor all the same.
    private static let sample = (0..<400_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13 & 0x3F) + 0x20 }

    private var content: [UInt8] { Self.sample }

    init() throws { directory = try TemporaryDirectory() }

    private static let programs: [(compression: Compression, program: String)] = [
        (.gzip, "gzip"), (.xz, "xz"), (.bzip2, "bzip2"), (.zstd, "zstd"),
    ]

    /// What the format's own program makes of `content`.
    private func compressed(_ compression: Compression, _ content: [UInt8]) async throws -> FilePath {
        let program = Self.programs.first { $0.compression == compression }!.program
        let plain = try directory.file(UUID().uuidString, content)
        try await Tool.run(program, "-k", "-q", plain.string)
        return FilePath(plain.string + compression.suffix)
    }

    private var checksum: Checksum {
        get throws { try FileChecksum.of(try directory.file("plain-\(UUID())", content), .sha256) }
    }

    @Test("each format gives back what its program compressed", arguments: programs.map(\.compression))
    func roundTrip(compression: Compression) async throws {
        let target = directory.path.appending("out")
        let found = try Compression.decompress(
            try await compressed(compression, content), to: target, limit: content.count, expecting: try checksum)
        #expect(try target.bytes == content)
        #expect(found.size == content.count)
        #expect(try found.checksum == checksum)
    }

    @Test("without a telling extension the content decides", arguments: programs.map(\.compression))
    func byContent(compression: Compression) async throws {
        let source = try directory.file("ab12", try await compressed(compression, content).bytes)
        try Compression.decompress(source, to: directory.path.appending("out"), limit: content.count, expecting: try checksum)
    }

    @Test("a plain file is copied")
    func plain() throws {
        let source = try directory.file("primary.xml", content)
        try Compression.decompress(source, to: directory.path.appending("out"), limit: content.count, expecting: try checksum)
        #expect(try directory.path.appending("out").bytes == content)
    }

    @Test("an empty file compresses to something that is read as empty", arguments: programs.map(\.compression))
    func emptyContent(compression: Compression) async throws {
        let found = try Compression.decompress(
            try await compressed(compression, []), to: directory.path.appending("out"), limit: 0, expecting: nil)
        #expect(found.size == 0)
    }

    @Test("two streams behind each other are both read", arguments: programs.map(\.compression))
    func concatenated(compression: Compression) async throws {
        let one = try await compressed(compression, content).bytes
        let source = try directory.file("two\(compression.suffix)", one + one)
        try Compression.decompress(source, to: directory.path.appending("out"), limit: 2 * content.count, expecting: nil)
        #expect(try directory.path.appending("out").bytes == content + content)
    }

    @Test("a truncated file is an error wherever it was cut, and leaves nothing behind", arguments: programs.map(\.compression))
    func truncated(compression: Compression) async throws {
        let whole = try await compressed(compression, content).bytes
        for length in [0, 1, 5, 20, whole.count / 2, whole.count - 9, whole.count - 1] {
            let source = try directory.file("cut-\(length)\(compression.suffix)", Array(whole[..<length]))
            let error = #expect(throws: RepodataError.self, "cut to \(length)") {
                try Compression.decompress(source, to: directory.path.appending("out"), limit: content.count, expecting: nil)
            }
            #expect(error?.code == .truncated, "cut to \(length)")
            #expect(!directory.path.appending("out").exists)
        }
    }

    @Test("a damaged file is an error", arguments: programs.map(\.compression))
    func damaged(compression: Compression) async throws {
        var bytes = try await compressed(compression, content).bytes
        for position in bytes.count / 2..<bytes.count / 2 + 16 { bytes[position] ^= 0x5A }
        let source = try directory.file("damaged\(compression.suffix)", bytes)
        #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("out"), limit: 2 * content.count, expecting: try checksum)
        }
        #expect(!directory.path.appending("out").exists)
    }

    @Test("garbage behind the data is an error", arguments: programs.map(\.compression))
    func garbageBehind(compression: Compression) async throws {
        let source = try directory.file(
            "x\(compression.suffix)", try await compressed(compression, content).bytes + Array("garbage, more of it".utf8))
        #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("out"), limit: 2 * content.count, expecting: nil)
        }
    }

    @Test("what becomes a thousand times larger is refused, whatever the limit is, unless it stays small")
    func expansion() async throws {
        for (bytes, isBomb) in [(1 << 20, false), (140 << 20, true)] {
            let source = try await compressed(.zstd, [UInt8](repeating: 0x20, count: bytes))
            let target = directory.path.appending("out-\(bytes)")
            guard isBomb else {
                try Compression.decompress(source, to: target, limit: .max, expecting: nil)
                continue
            }
            let error = #expect(throws: RepodataError.self) {
                try Compression.decompress(source, to: target, limit: .max, expecting: nil, named: "primary")
            }
            #expect(error?.code == .tooLarge)
            #expect(error?.message == "primary becomes more than 1000 times larger when decompressed, which is not accepted")
            #expect(!target.exists)
        }
    }

    @Test("a decompression bomb stops at the limit", arguments: programs.map(\.compression))
    func bomb(compression: Compression) async throws {
        let zeros = [UInt8](repeating: 0, count: 20_000_000)
        let source = try await compressed(compression, zeros)
        #expect(try source.bytes.count < 50_000)
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("out"), limit: 1_000_000, expecting: nil, named: "filelists")
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.hasPrefix("filelists is larger than 1000000 bytes") == true)
        #expect(!directory.path.appending("out").exists)
    }

    @Test("exactly the limit is enough, one less is not")
    func limit() async throws {
        let source = try await compressed(.gzip, content)
        try Compression.decompress(source, to: directory.path.appending("enough"), limit: content.count, expecting: nil)
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("less"), limit: content.count - 1, expecting: nil)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("another checksum than the expected one is an error that shows both")
    func wrongChecksum() async throws {
        let expected = Checksum(.sha1, hex: String(repeating: "0", count: 40))
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(
                try directory.file("primary.xml", content), to: directory.path.appending("out"), limit: content.count, expecting: expected)
        }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.message.contains(expected.description) == true)
        #expect(!directory.path.appending("out").exists)
    }

    @Test("a file that is not what its extension says is an error", arguments: programs.map(\.compression))
    func wrongExtension(compression: Compression) throws {
        let source = try directory.file("primary.xml\(compression.suffix)", "<metadata/> and so on, long enough for any header")
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("out"), limit: 1000, expecting: nil)
        }
        #expect(error?.code == .malformed)
    }

    @Test("zchunk is named when it is met")
    func zchunk() throws {
        let source = try directory.file("primary", [0x00, 0x5A, 0x43, 0x4B, 0x31, 0x00])
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(source, to: directory.path.appending("out"), limit: 1000, expecting: nil)
        }
        #expect(error?.message.contains("zchunk") == true)
    }

    @Test("a copy keeps compressed bytes as they are")
    func copy() async throws {
        let source = try await compressed(.gzip, content)
        let found = try Compression.copy(
            source, to: directory.path.appending("out"), limit: content.count, expecting: try FileChecksum.of(source, .sha512))
        #expect(try directory.path.appending("out").bytes == source.bytes)
        #expect(found.checksum.algorithm == .sha512)
    }

    @Test("messages do not show where the file is")
    func noPaths() throws {
        let error = #expect(throws: RepodataError.self) {
            try Compression.decompress(
                directory.path.appending("nothing.gz"), to: directory.path.appending("out"), limit: 1, expecting: nil)
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains("/") == false)
    }
}
