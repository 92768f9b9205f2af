import Compression
import Glibc
import SystemPackage
import Testing

@Suite("a compressed file that is read once")
struct CompressedStreamTests {
    private let directory: TemporaryDirectory
    /// Larger than several pieces, also when it is compressed.
    private static let content: [UInt8] = {
        var state: UInt64 = 1
        return (0..<2_000_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }()

    init() throws { directory = try TemporaryDirectory() }

    /// - Parameter program: The program that compresses the content, if one does.
    private func stored(_ suffix: String, by program: String?) async throws -> FilePath {
        let plain = try directory.file("plain", Self.content)
        if let program { try await Tool.run(program, "-k", "-q", plain.string) }
        return FilePath(plain.string + suffix)
    }

    @Test(
        "gives its content and its checksum", arguments: [("", nil), (".gz", "gzip"), (".xz", "xz"), (".bz2", "bzip2"), (".zst", "zstd")])
    func content(suffix: String, program: String?) async throws {
        let path = try await stored(suffix, by: program)
        let bytes = try path.bytes
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        var stream = CompressedStream(file, size: bytes.count, .sha256, named: "primary")
        var found: [UInt8] = []
        try Compression.forEachPiece(of: &stream, extension: path.extension, limit: Self.content.count, named: "primary") {
            found += $0
        }
        #expect(found == Self.content)
        #expect(stream.checksum() == FileChecksum.of(bytes, .sha256))
    }

    @Test("has the checksum of the bytes that were read, if it is rewritten meanwhile")
    func rewritten() throws {
        let path = try directory.file("plain", Self.content)
        let file = try FileDescriptor.open(path, .readWrite)
        defer { try? file.close() }
        var stream = CompressedStream(file, size: Self.content.count, .sha256, named: "primary")
        var found: [UInt8] = []
        try Compression.forEachPiece(of: &stream, extension: nil, limit: Self.content.count, named: "primary") {
            (piece) throws(RepodataError) in
            if found.isEmpty { try RepodataError.io("plain") { _ = try file.writeAll(toAbsoluteOffset: 0, Self.content.reversed()) } }
            found += piece
        }
        #expect(found != Self.content)
        #expect(stream.checksum() == FileChecksum.of(found, .sha256))
    }

    @Test("is truncated if it becomes shorter meanwhile")
    func shorter() async throws {
        let path = try await stored(".gz", by: "gzip")
        let size = try path.bytes.count
        let file = try FileDescriptor.open(path, .readWrite)
        defer { try? file.close() }
        var stream = CompressedStream(file, size: size, .sha256, named: "primary")
        let error = #expect(throws: RepodataError.self) {
            try Compression.forEachPiece(of: &stream, extension: "gz", limit: Self.content.count, named: "primary") { _ in
                #expect(ftruncate(file.rawValue, size / 2) == 0)
            }
        }
        #expect(error?.code == .truncated)
    }

    @Test("can be left at any piece", arguments: 1...4)
    func left(pieces: Int) throws {
        let path = try directory.file("plain", Self.content)
        let file = try FileDescriptor.open(path, .readOnly)
        defer { try? file.close() }
        var stream = CompressedStream(file, size: Self.content.count, .sha256, named: "primary")
        var found = 0
        let error = #expect(throws: RepodataError.self) {
            try Compression.forEachPiece(of: &stream, extension: nil, limit: Self.content.count, named: "primary") {
                (piece) throws(RepodataError) in
                found += 1
                if found == pieces { throw RepodataError(.malformed, "enough") }
            }
        }
        #expect(error?.code == .malformed && found == pieces)
    }
}
