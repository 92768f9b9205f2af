import Compression

/// Decompresses bytes that are pushed in pieces of any size. The first bytes tell the format: gzip,
/// Zstandard or none.
///
///     let decompressor = Decompressor(named: "The layer")
///     try decompressor.read(bytes) { plain in … }
///     try decompressor.finish { plain in … }
final class Decompressor {
    typealias Body = (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Void

    /// The bytes that tell the format.
    private static let magicSize = 6

    private let name: String
    private var decoder: (any StreamDecoder)?
    private var magic: [UInt8] = []
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: FileContent.pieceSize, alignment: 16)

    /// The format, once the first bytes were read.
    private(set) var compression: Compression?
    /// The numbers of bytes read, and of plain bytes.
    private(set) var readCount = 0
    private(set) var plainCount = 0

    /// Error messages begin with `name`.
    init(named name: String) { self.name = name }

    deinit { output.deallocate() }

    /// Decompresses the next bytes. Calls `body` with each piece of plain bytes.
    func read(_ bytes: UnsafeRawBufferPointer, _ body: Body) throws(ImageArchiveError) {
        if let decoder { return try decode(bytes, decoder, body) }
        let count = min(Self.magicSize - magic.count, bytes.count)
        magic.append(contentsOf: bytes[..<count])
        guard magic.count == Self.magicSize else { return }
        try begin(body)
        try read(UnsafeRawBufferPointer(rebasing: bytes[count...]), body)
    }

    /// Ends the input. Throws `.truncated` if compressed data is incomplete.
    func finish(_ body: Body) throws(ImageArchiveError) {
        if decoder == nil { try begin(body) }
        guard let decoder, decoder.isAtStreamEnd else {
            throw ImageArchiveError(.truncated, "\(name) ends before its \(compression?.rawValue ?? "") data is complete.")
        }
    }

    private func begin(_ body: Body) throws(ImageArchiveError) {
        let compression = Self.compression(of: magic)
        self.compression = compression
        let decoder: any StreamDecoder =
            switch compression {
            case .none: PlainDecoder()
            case .gzip: GzipDecoder()
            case .zstd: try decoding { () throws(StreamDecoderFailure) in try ZstdDecoder() }
            case .xz, .bzip2:
                throw ImageArchiveError(
                    .unsupported, "\(name) is compressed with \(compression.rawValue). Only gzip and zstd are read here.")
            }
        self.decoder = decoder
        try magic.withRawBytes { (magic) throws(ImageArchiveError) in try decode(magic, decoder, body) }
    }

    private func decode(
        _ bytes: UnsafeRawBufferPointer, _ decoder: any StreamDecoder, _ body: Body
    ) throws(ImageArchiveError) {
        // The C libraries count in 32 bits.
        var rest = bytes[...]
        var mayHaveMore = false
        while !rest.isEmpty || mayHaveMore {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(FileContent.pieceSize))
            let (consumed, produced) = try decoding { () throws(StreamDecoderFailure) in
                try decoder.step(piece, into: output, isLast: false)
            }
            rest = rest.dropFirst(consumed)
            readCount += consumed
            plainCount += produced
            if produced > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<produced])) }
            // A full output means that the decoder may hold more plain bytes.
            mayHaveMore = produced == output.count && !decoder.isAtStreamEnd
            guard consumed > 0 || produced > 0 || rest.isEmpty else {
                throw ImageArchiveError(.malformed, "\(name) cannot be decompressed: its data is damaged.")
            }
        }
    }

    private func decoding<Result>(
        _ body: () throws(StreamDecoderFailure) -> Result
    ) throws(ImageArchiveError) -> Result {
        do throws(StreamDecoderFailure) {
            return try body()
        } catch {
            throw ImageArchiveError(
                .malformed, "\(name) cannot be decompressed as \(compression?.rawValue ?? ""): \(error.reason).")
        }
    }

    private static func compression(of magic: [UInt8]) -> Compression {
        let signatures: [(Compression, [UInt8])] = [
            (.gzip, [0x1F, 0x8B]), (.zstd, [0x28, 0xB5, 0x2F, 0xFD]), (.zstd, [0x50, 0x2A, 0x4D, 0x18]),
            (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), (.bzip2, [0x42, 0x5A, 0x68]),
        ]
        return signatures.first { magic.starts(with: $0.1) }?.0 ?? .none
    }
}
