import NIOCore
import NIOPosix
import SystemPackage

/// The bytes of a file, in pieces.
struct FilePieces: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let file: FilePath
    private static let pieceBytes = 1 << 18

    final class AsyncIterator: AsyncIteratorProtocol {
        private let file: FilePath
        private var descriptor: SystemPackage.FileDescriptor?

        init(file: FilePath) { self.file = file }

        // The file was only read, so nothing is lost if closing fails.
        deinit { try? descriptor?.close() }

        func next() async throws -> ByteBuffer? {
            let descriptor = try self.descriptor ?? SystemPackage.FileDescriptor.open(file, .readOnly, options: .closeOnExec)
            self.descriptor = descriptor
            return try await NIOThreadPool.singleton.runIfActive {
                var buffer = ByteBuffer()
                try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FilePieces.pieceBytes) { try descriptor.read(into: $0) }
                return buffer.readableBytes > 0 ? buffer : nil
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(file: file) }
}
