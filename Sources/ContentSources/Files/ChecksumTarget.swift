import Compression
import NIOCore
import NIOPosix

/// A target that keeps only checksums of a download, not its bytes.
///
/// It computes the SHA-256 of the whole file, and the MD5 of a package's header and payload. Koji
/// identifies a package by that MD5.
final class ChecksumTarget: TransferTarget {
    private static let pieceSize = 1 << 20

    private struct Digests: Sendable {
        let whole: RunningChecksum
        let payload: RunningChecksum
    }

    private let threadPool: NIOThreadPool
    /// The offset in the file, in bytes, at which the header begins. The payload follows it.
    private let headerStart: Int
    private var pending = ByteBuffer()
    private var digested = 0
    private var digests: Digests?

    var count: Int { digested + pending.readableBytes }

    init(on threadPool: NIOThreadPool, headerStart: Int) {
        self.threadPool = threadPool
        self.headerStart = headerStart
    }

    func restart() {
        pending.clear()
        digested = 0
        digests = nil
    }

    func append(_ bytes: ByteBuffer) async throws(TransferProblem) {
        pending.writeImmutableBuffer(bytes)
        if pending.readableBytes >= Self.pieceSize { _ = try await flush() }
    }

    /// Ends the computation and returns the checksums.
    func finish() async throws(TransferProblem) -> (sha256: Checksum, payloadHash: Checksum) {
        let digests = try await flush()
        self.digests = nil
        return (digests.whole.finish(), digests.payload.finish())
    }

    private func flush() async throws(TransferProblem) -> Digests {
        let piece = pending
        let running = digests
        let skip = min(max(0, headerStart - digested), piece.readableBytes)
        let next = try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
            let digests = running ?? Digests(whole: RunningChecksum(.sha256), payload: RunningChecksum(.md5))
            digests.whole.update(Array(piece.readableBytesView))
            digests.payload.update(Array(piece.readableBytesView.dropFirst(skip)))
            return digests
        }
        digests = next
        digested += piece.readableBytes
        pending.clear()
        return next
    }
}
