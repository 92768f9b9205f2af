public import NIOCore
import NIOPosix
public import SystemPackage

/// The content of a blob to upload. It can be read at any place, so that an upload can be continued.
public protocol BlobContent: Sendable {
    /// Returns at most `most` bytes from `offset` on, and none only at the end.
    func bytes(at offset: Int, most: Int) async throws -> ByteBuffer
}

/// Content in memory.
public struct BytesContent: BlobContent {
    private let buffer: ByteBuffer

    public init(_ bytes: some Sequence<UInt8>) { buffer = ByteBuffer(bytes: bytes) }

    public func bytes(at offset: Int, most: Int) -> ByteBuffer {
        buffer.getSlice(at: buffer.readerIndex + offset, length: min(most, buffer.readableBytes - offset)) ?? ByteBuffer()
    }
}

/// Content of an open file. The file must not change while it is uploaded.
public struct FileContent: BlobContent {
    private let file: SystemPackage.FileDescriptor

    /// - Parameter file: A file that is open for reading until the upload ends.
    public init(_ file: SystemPackage.FileDescriptor) { self.file = file }

    public func bytes(at offset: Int, most: Int) async throws -> ByteBuffer {
        let file = file
        return try await NIOThreadPool.singleton.runIfActive {
            var buffer = ByteBuffer()
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: most) { space in
                try file.read(fromAbsoluteOffset: Int64(offset), into: UnsafeMutableRawBufferPointer(rebasing: space.prefix(most)))
            }
            return buffer
        }
    }
}

/// A part of content as the body of a request, in pieces that are read when the connection takes them.
struct ContentPieces: AsyncSequence, Sendable {
    private static let pieceBytes = 1 << 20

    let content: any BlobContent
    let part: Range<Int>

    struct AsyncIterator: AsyncIteratorProtocol {
        let content: any BlobContent
        var rest: Range<Int>

        mutating func next() async throws -> ByteBuffer? {
            guard !rest.isEmpty else { return nil }
            let piece: ByteBuffer
            do {
                piece = try await content.bytes(at: rest.lowerBound, most: Swift.min(rest.count, ContentPieces.pieceBytes))
            } catch {
                throw RegistryFailure(.unreadableContent, "The content to upload could not be read: \(error).")
            }
            guard (1...rest.count).contains(piece.readableBytes) else {
                throw RegistryFailure(.unreadableContent, "The content to upload ended after \(rest.lowerBound) bytes.")
            }
            rest = (rest.lowerBound + piece.readableBytes)..<rest.upperBound
            return piece
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(content: content, rest: part) }
}
