import Glibc
public import SystemPackage

/// A compression that rpm-md files can have, and functions that read compressed files. They block the
/// calling thread.
public enum Compression: String, Hashable, Sendable, CaseIterable {
    case none, gzip, xz, bzip2, zstd

    /// The largest accepted growth factor. A document that grows more when decompressed is a bomb, unless
    /// it stays below ``smallestBomb`` bytes. Real documents grow by a factor of about 20.
    private static let mostExpansion = 1000
    private static let smallestBomb = 128 << 20

    /// The size and the checksum of the content found in a file.
    public struct Content: Hashable, Sendable {
        /// The number of decompressed bytes.
        public let size: Int
        /// The checksum of the decompressed bytes. The algorithm is that of the expected checksum, or SHA-256
        /// if no checksum was expected.
        public let checksum: Checksum
    }

    /// Decompresses `source` into the new file `destination`. A plain file is copied.
    ///
    /// The file extension determines the compression, as in dnf. If the extension is not that of a
    /// compression, the first bytes determine it. When the function throws, it leaves no file at
    /// `destination`.
    ///
    /// Throws `.truncated` if the compressed data is incomplete, `.malformed` if it is damaged, and
    /// `.unsupported` for zchunk.
    /// - Parameters:
    ///   - limit: the largest accepted size of the decompressed file, in bytes. A larger file throws
    ///     `.tooLarge`, and so does a bomb.
    ///   - expected: the checksum of the decompressed bytes. If it differs, the function throws
    ///     `.checksumMismatch`.
    ///   - name: the name of the file in error messages, for example `filelists`.
    @discardableResult
    public static func decompress(
        _ source: FilePath, to destination: FilePath, limit: Int, expecting expected: Checksum?, named name: String? = nil
    ) throws(RepodataError) -> Content {
        let name = name ?? source.shortName
        let content = try MappedFile(source)
        let compression = try of(content.bytes, extension: source.extension, name: name)
        return try write(content.bytes, by: compression, to: destination, limit: limit, expecting: expected, name: name)
    }

    /// Decompresses `source` into the new file `destination`, without a checksum of the decompressed bytes.
    ///
    /// Use it if the checksum of `source` has been compared, which proves the compressed bytes. Limits and
    /// errors are those of ``decompress(_:to:limit:expecting:named:)``.
    public static func decompress(
        verified source: FilePath, to destination: FilePath, limit: Int, named name: String
    ) throws(RepodataError) {
        let content = try MappedFile(source)
        let compression = try of(content.bytes, extension: source.extension, name: name)
        _ = try write(content.bytes, by: compression, to: destination, limit: limit, digest: nil, name: name)
    }

    /// Decompresses `source` and calls `body` with each piece of the result. Limits and errors are those of
    /// ``decompress(_:to:limit:expecting:named:)``. An error of `body` ends it.
    package static func forEachPiece(
        of source: FilePath, limit: Int, named name: String, _ body: (UnsafeRawBufferPointer) throws(RepodataError) -> Void
    ) throws(RepodataError) {
        let content = try MappedFile(source)
        let compression = try of(content.bytes, extension: source.extension, name: name)
        var input = CompressedBytes(content.bytes)
        try decode(&input, by: compression, limit: limit, name: name, body)
    }

    /// Decompresses the bytes of `source` and calls `body` with each piece of the result. Limits and errors
    /// are those of ``decompress(_:to:limit:expecting:named:)``. An error of `body` ends it.
    ///
    /// - Parameter fileExtension: The extension of the file's name, for example `gz`.
    package static func forEachPiece(
        of source: inout CompressedStream, extension fileExtension: String?, limit: Int, named name: String,
        _ body: (UnsafeRawBufferPointer) throws(RepodataError) -> Void
    ) throws(RepodataError) {
        let compression = try of(source.next().bytes, extension: fileExtension, name: name)
        try decode(&source, by: compression, limit: limit, name: name, body)
    }

    /// Copies `source` to `destination` without decompressing it. Limits and errors are those of
    /// ``decompress(_:to:limit:expecting:named:)``.
    @discardableResult
    public static func copy(
        _ source: FilePath, to destination: FilePath, limit: Int, expecting expected: Checksum?, named name: String? = nil
    ) throws(RepodataError) -> Content {
        let content = try MappedFile(source)
        return try write(content.bytes, by: .none, to: destination, limit: limit, expecting: expected, name: name ?? source.shortName)
    }

    /// Creates the compression that `fileExtension` names. Returns `nil` if the extension is not that of a
    /// compression. Example: `gz`.
    public init?(fileExtension: String) {
        switch fileExtension.lowercased() {
        case "gz": self = .gzip
        case "xz": self = .xz
        case "bz2": self = .bzip2
        case "zst": self = .zstd
        default: return nil
        }
    }

    /// The file name suffix of this compression, with the dot. Example: `.gz`.
    public var suffix: String {
        switch self {
        case .none: ""
        case .gzip: ".gz"
        case .xz: ".xz"
        case .bzip2: ".bz2"
        case .zstd: ".zst"
        }
    }
}

extension Compression {
    private static func of(_ bytes: UnsafeRawBufferPointer, extension fileExtension: String?, name: String) throws(RepodataError)
        -> Compression
    {
        if let fileExtension, let named = Compression(fileExtension: fileExtension) { return named }
        let signatures: [(Compression, [UInt8])] = [
            (.gzip, [0x1F, 0x8B]), (.xz, [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]), (.bzip2, [0x42, 0x5A, 0x68]),
            (.zstd, [0x28, 0xB5, 0x2F, 0xFD]),
        ]
        if bytes.starts(with: [0x00, 0x5A, 0x43, 0x4B, 0x31]) {
            throw RepodataError(.unsupported, "\(name) is compressed by zchunk; gzip, xz, bzip2 and zstd can be read")
        }
        return signatures.first { bytes.starts(with: $0.1) }?.0 ?? .none
    }

    private func decoder() throws(StreamDecoderFailure) -> any StreamDecoder {
        switch self {
        case .none: PlainDecoder()
        case .gzip: GzipDecoder()
        case .xz: try XZDecoder()
        case .bzip2: try Bzip2Decoder()
        case .zstd: try ZstdDecoder()
        }
    }

    private static func write(
        _ input: UnsafeRawBufferPointer, by compression: Compression, to destination: FilePath, limit: Int, expecting expected: Checksum?,
        name: String
    ) throws(RepodataError) -> Content {
        let digest = Digest(expected?.algorithm ?? .sha256)
        let size = try write(input, by: compression, to: destination, limit: limit, digest: digest, name: name)
        do throws(RepodataError) {
            let checksum = digest.finish()
            if let expected { try Digest.compare(checksum, with: expected, of: name) }
            return Content(size: size, checksum: checksum)
        } catch {
            unlink(destination.string)
            throw error
        }
    }

    /// Writes the decompressed bytes, and adds them to `digest`. Returns their number.
    private static func write(
        _ input: UnsafeRawBufferPointer, by compression: Compression, to destination: FilePath, limit: Int, digest: Digest?, name: String
    ) throws(RepodataError) -> Int {
        let output = try RepodataError.io(name) {
            try FileDescriptor.open(
                destination, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
        do {
            defer { Glibc.close(output.rawValue) }
            var size = 0
            var input = CompressedBytes(input)
            try decode(&input, by: compression, limit: limit, name: name) { (piece) throws(RepodataError) in
                size += piece.count
                digest?.update(piece)
                try RepodataError.io(name) { _ = try output.writeAll(piece) }
            }
            return size
        } catch {
            unlink(destination.string)
            throw error
        }
    }

    /// Calls `body` with the decompressed pieces, as long as they are within the limits.
    private static func decode<Input: CompressedInput & ~Copyable>(
        _ input: inout Input, by compression: Compression, limit: Int, name: String,
        _ body: (UnsafeRawBufferPointer) throws(RepodataError) -> Void
    ) throws(RepodataError) {
        var size = 0
        try decode(&input, by: compression, name: name) { (piece, consumed) throws(RepodataError) in
            size += piece.count
            if size > limit {
                throw RepodataError(
                    .tooLarge, "\(name) is larger than \(limit) bytes when decompressed, the most that is accepted for it")
            }
            if size > smallestBomb, size / mostExpansion > consumed {
                throw RepodataError(
                    .tooLarge, "\(name) becomes more than \(mostExpansion) times larger when decompressed, which is not accepted")
            }
            try body(piece)
        }
    }

    private static func decode<Input: CompressedInput & ~Copyable>(
        _ input: inout Input, by compression: Compression, name: String,
        _ body: (_ piece: UnsafeRawBufferPointer, _ consumed: Int) throws(RepodataError) -> Void
    ) throws(RepodataError) {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: FileContent.pieceSize, alignment: 16)
        defer { output.deallocate() }
        do {
            let decoder = try compression.decoder()
            while true {
                let (bytes, isLast) = try input.next()
                if bytes.isEmpty, decoder.isAtStreamEnd { return }
                let (consumed, produced) = try decoder.step(bytes, into: output, isLast: isLast)
                input.take(consumed)
                if produced > 0 { try body(UnsafeRawBufferPointer(rebasing: output[..<produced]), input.taken) }
                guard consumed > 0 || produced > 0 || decoder.isAtStreamEnd else {
                    throw RepodataError(.truncated, "\(name) ends before its \(compression.rawValue) data is complete")
                }
            }
        } catch let failure as StreamDecoderFailure {
            throw RepodataError(.malformed, "\(name) cannot be decompressed as \(compression.rawValue): \(failure.reason)")
        } catch let error as RepodataError {
            throw error
        } catch {
            throw RepodataError(.malformed, "\(name): \(error)")
        }
    }
}
