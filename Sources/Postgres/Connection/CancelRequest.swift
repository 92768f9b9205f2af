import CPostgreSQL

/// A request that asks the server to stop the current statement of a connection.
final class CancelRequest: @unchecked Sendable {
    // `PQcancel` may be called from any thread (libpq's manual, "Canceling Queries in Progress"). The
    // request has no other use.
    private let request: OpaquePointer

    /// Prepares a request. Returns nil when the connection is not established.
    init?(_ handle: ConnectionHandle) {
        guard let request = PQgetCancel(handle.connection) else { return nil }
        self.request = request
    }

    deinit { PQfreeCancel(request) }

    /// Sends the request over a connection of its own, without waiting. The caller does not learn whether
    /// the request arrived in time.
    func send() {
        BlockingCalls.start { [self] in
            var complaint = [CChar](repeating: 0, count: 256)
            PQcancel(request, &complaint, Int32(complaint.count))
        }
    }
}
