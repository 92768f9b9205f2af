import Synchronization

/// The checksum of bytes that arrive in pieces, in order.
public final class RunningChecksum: Sendable {
    private struct State: ~Copyable, @unchecked Sendable {  // the digest is reached only under the lock
        let digest: Digest
    }

    private let state: Mutex<State>

    public init(_ algorithm: Checksum.Algorithm) throws(RepodataError) {
        state = Mutex(State(digest: try Digest(algorithm)))
    }

    public func update(_ bytes: [UInt8]) throws(RepodataError) {
        try state.withLock { (state) throws(RepodataError) in
            try bytes.withUnsafeBufferPointer { (bytes) throws(RepodataError) in
                try state.digest.update(UnsafeRawBufferPointer(bytes))
            }
        }
    }

    /// Ends the computation and returns the checksum. Nothing may be added afterwards.
    public func finish() throws(RepodataError) -> Checksum {
        try state.withLock { (state) throws(RepodataError) in try state.digest.finish() }
    }
}
