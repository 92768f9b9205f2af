import Synchronization

/// The checksum of bytes that arrive in pieces, in order.
public final class RunningChecksum: Sendable {
    private struct State: ~Copyable, @unchecked Sendable {  // the digest is reached only under the lock
        let digest: Digest
    }

    private let state: Mutex<State>

    public init(_ algorithm: Checksum.Algorithm) {
        state = Mutex(State(digest: Digest(algorithm)))
    }

    public func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    /// Takes bytes without a copy.
    package func update(_ bytes: UnsafeRawBufferPointer) { state.withLock { $0.digest.update(bytes) } }

    /// Returns the checksum of the bytes so far.
    public func finish() -> Checksum { state.withLock { $0.digest.finish() } }
}
