import Compression
import Testing

@Suite("Decoding gzip in pieces")
struct GzipDecoderTests {
    /// A member with an extra field, a name, a comment and a checksum of the header. Its content is `first `.
    private static let rich: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x1E, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x03, 0x00, 0x61, 0x62, 0x63, 0x6E, 0x61, 0x6D, 0x65, 0x00,
        0x77, 0x6F, 0x72, 0x64, 0x73, 0x00, 0x40, 0xF7, 0x4B, 0xCB, 0x2C, 0x2A, 0x2E, 0x51, 0x00, 0x00, 0xFC, 0x7A, 0xF1, 0x1C,
        0x06, 0x00, 0x00, 0x00,
    ]
    /// A member with the shortest header. Its content is `second`.
    private static let plain: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x2B, 0x4E, 0x4D, 0xCE, 0xCF, 0x4B, 0x01, 0x00, 0x69, 0x11,
        0x1F, 0xB6, 0x06, 0x00, 0x00, 0x00,
    ]

    @Test("members with any header are read in pieces of any size", arguments: [1, 2, 3, 7, 100], [1, 4, 100])
    func members(pieceSize: Int, outputSize: Int) throws {
        let decoder = GzipDecoder()
        #expect(try decode(Self.rich + Self.plain, pieceSize, outputSize, decoder) == "first second")
        #expect(decoder.isAtStreamEnd)
    }

    @Test("a member that ends too early is not complete", arguments: 0..<rich.count)
    func truncation(count: Int) throws {
        let decoder = GzipDecoder()
        _ = try decode(Array(Self.rich.prefix(count)), 5, 100, decoder)
        #expect(!decoder.isAtStreamEnd)
    }

    @Test("a damaged header, checksum or size is refused", arguments: [0, 1, 2, 3, 13, 17, 22, 26, 27, -8, -5, -4, -1])
    func damage(place: Int) throws {
        var damaged = Self.rich
        damaged[place < 0 ? damaged.count + place : place] ^= 0x80
        #expect(throws: StreamDecoderFailure.self) { try decode(damaged, 5, 100, GzipDecoder()) }
    }

    @Test("bytes behind a member that begin no other one are refused")
    func rest() throws {
        #expect(throws: StreamDecoderFailure.self) { try decode(Self.plain + [0, 0, 0], 100, 100, GzipDecoder()) }
    }

    private func decode(_ bytes: [UInt8], _ pieceSize: Int, _ outputSize: Int, _ decoder: GzipDecoder) throws -> String {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: outputSize, alignment: 16)
        defer { output.deallocate() }
        var content: [UInt8] = []
        var rest = bytes[...]
        var mayHaveMore = false
        while !rest.isEmpty || mayHaveMore {
            let piece = Array(rest.prefix(pieceSize))
            let (consumed, produced) = try piece.withUnsafeBytes { try decoder.step($0, into: output, isLast: false) }
            rest = rest.dropFirst(consumed)
            content += output.prefix(produced)
            mayHaveMore = produced == outputSize && !decoder.isAtStreamEnd
        }
        return String(decoding: content, as: UTF8.self)
    }
}
