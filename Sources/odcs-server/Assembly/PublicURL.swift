import ServiceLifecycle
import Synchronization

/// The address by which clients reach the service. It is the configured one, or else the one that the
/// frontend of this process listens on.
final class PublicURL: Sendable {
    private let addresses: AsyncStream<String>
    private let address: AsyncStream<String>.Continuation
    private let first = Mutex<String?>(nil)
    private let hasFrontend: Bool

    /// - Parameter hasFrontend: Whether a frontend of this process will listen.
    init(_ configured: String?, hasFrontend: Bool) {
        self.hasFrontend = hasFrontend
        // The first address counts. A configured address comes before the one that the frontend listens on.
        (addresses, address) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        if let configured { listening(at: configured) }
        if !hasFrontend { address.finish() }
    }

    /// Records the address that the frontend listens on.
    func listening(at address: String) {
        first.withLock { $0 = $0 ?? address }
        self.address.yield(address)
    }

    /// The address, or `nil` while it is unknown.
    var current: String? { first.withLock(\.self) }

    /// Waits until the address is known, and returns it. Only one task may call this method.
    ///
    /// - Returns: `nil` if no address is configured and this process has no frontend.
    /// - Throws: `CancellationError` at a graceful shutdown, for example if the frontend could not listen.
    func known() async throws -> String? {
        for await address in addresses.cancelOnGracefulShutdown() { return address }
        if hasFrontend { throw CancellationError() }
        return nil
    }
}
