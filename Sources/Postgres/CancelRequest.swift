import CPostgreSQL

/// The means to ask the server to stop what a connection is doing.
final class CancelRequest: @unchecked Sendable {
    // `PQcancel` may be called from any thread (libpq's manual, "Canceling Queries in Progress"), and nothing else is done with it.
    private let request: OpaquePointer

    /// Nil when the connection is not established.
    init?(_ handle: ConnectionHandle) {
        guard let request = PQgetCancel(handle.connection) else { return nil }
        self.request = request
    }

    deinit { PQfreeCancel(request) }

    /// Sends the request over a connection of its own, without waiting. Whether it came in time, nobody learns.
    func send() {
        BlockingCalls.start { [self] in
            var complaint = [CChar](repeating: 0, count: 256)
            PQcancel(request, &complaint, Int32(complaint.count))
        }
    }
}
