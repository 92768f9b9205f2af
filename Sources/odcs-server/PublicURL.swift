/// The address by which clients reach the service: configured, or the one that the frontend of this process turns out to listen on.
struct PublicURL: Sendable {
    private let addresses: AsyncStream<String>
    private let address: AsyncStream<String>.Continuation

    init(_ configured: String?) {
        // The first address counts: what is configured goes before what is listened on.
        (addresses, address) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
        if let configured { address.yield(configured) }
    }

    /// The frontend listens.
    func listening(at address: String) {
        self.address.yield(address)
    }

    /// Waits until the address is known; one task may.
    ///
    /// - Throws: `CancellationError` when the task is cancelled, as it is when the frontend could not listen.
    func known() async throws -> String {
        for await address in addresses { return address }
        throw CancellationError()
    }
}
