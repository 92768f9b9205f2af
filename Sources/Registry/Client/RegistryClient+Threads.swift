public import ImageModel
import NIOCore
public import NIOPosix

/// Reading blobs whose bytes take time to process.
extension RegistryClient {
    /// The size of the pieces that are processed. Smaller ones would change threads too often.
    private static let processedBytes = 1 << 20

    /// Reads a blob in large pieces, in order. Each is processed on a thread while the next one arrives.
    /// When the function returns, `process` got exactly the content of the descriptor.
    ///
    /// - Parameters:
    ///   - have: The digest of the bytes that the caller has from an earlier attempt.
    ///   - process: Is never called twice at the same time. Its errors end the reading, and are thrown as
    ///     they are.
    /// - Throws: ``RegistryFailure``, with `.mismatch` for content with another digest or size.
    public func blob(
        _ descriptor: Descriptor, of repository: ImageRepository, after have: RunningDigest? = nil, on threadPool: NIOThreadPool,
        _ process: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var piece = ByteBuffer()
            func processPiece() async throws {
                try await group.next()
                let full = piece
                piece = ByteBuffer()
                guard full.readableBytes > 0 else { return }
                group.addTask {
                    try await threadPool.runIfActive { try full.readableBytesView.withUnsafeBytes { try process($0) } }
                }
            }
            try await blob(descriptor, of: repository, after: have) { bytes in
                piece.writeImmutableBuffer(bytes)
                if piece.readableBytes >= Self.processedBytes { try await processPiece() }
            }
            try await processPiece()
            try await group.next()
        }
    }
}
