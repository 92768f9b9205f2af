import NIOCore
import NIOPosix
import Repodata

/// Keeps nothing of a download but its SHA-256.
final class ChecksumTarget: TransferTarget {
    private static let pieceSize = 1 << 20

    private let threadPool: NIOThreadPool
    private var pending = ByteBuffer()
    private var digested = 0
    private var digest: RunningChecksum?

    var count: Int { digested + pending.readableBytes }

    init(on threadPool: NIOThreadPool) { self.threadPool = threadPool }

    func restart() {
        pending.clear()
        digested = 0
        digest = nil
    }

    func append(_ bytes: ByteBuffer) async throws(TransferProblem) {
        pending.writeImmutableBuffer(bytes)
        if pending.readableBytes >= Self.pieceSize { _ = try await flush() }
    }

    /// Ends the computation.
    func finish() async throws(TransferProblem) -> Checksum {
        let digest = try await flush()
        self.digest = nil
        do { return try digest.finish() } catch { throw .unreachable("its checksum could not be computed") }
    }

    private func flush() async throws(TransferProblem) -> RunningChecksum {
        let piece = pending
        let running = digest
        let next = try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
            do throws(RepodataError) {
                let digest = if let running { running } else { try RunningChecksum(.sha256) }
                try digest.update(Array(piece.readableBytesView))
                return digest
            } catch {
                throw .unreachable("its checksum could not be computed")
            }
        }
        digest = next
        digested += piece.readableBytes
        pending.clear()
        return next
    }
}
