import ServiceLifecycle
import Synchronization

/// The address by which clients reach the service: configured, or the one that the frontend of this process turns out to listen on.
final class PublicURL: Sendable {
    private let addresses: AsyncStream<String>
    private let address: AsyncStream<String>.Continuation
    private let first = Mutex<String?>(nil)

    init(_ configured: String?) {
        // The first address counts: what is configured goes before what is listened on.
        (addresses, address) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        if let configured { listening(at: configured) }
    }

    /// The frontend listens.
    func listening(at address: String) {
        first.withLock { $0 = $0 ?? address }
        self.address.yield(address)
    }

    /// The address, `nil` as long as it is not known.
    var current: String? { first.withLock(\.self) }

    /// Waits until the address is known; one task may.
    ///
    /// - Throws: `CancellationError` at a graceful shutdown, as it begins when the frontend could not listen.
    func known() async throws -> String {
        for await address in addresses.cancelOnGracefulShutdown() { return address }
        throw CancellationError()
    }
}
