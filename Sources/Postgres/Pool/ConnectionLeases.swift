/// The connections of a pool, and the tasks that use them or wait for one.
///
/// At most `size` connections are open. Idle connections are lent to tasks. A task that finds no free
/// connection waits in line.
@PostgresThread final class ConnectionLeases {
    private enum Grant {
        case connection(PostgresConnection)
        /// The right to open one more connection.
        case place
        case failure(PostgresError)
    }

    /// A task that waits in line, and the grant that it finally received.
    private final class Waiter {
        let suspension = Suspension()
        var grant: Grant?
    }

    private let configuration: PostgresConfiguration
    /// The idle connections. The most recently used one is at the end, and is lent first, because its
    /// caches are warm.
    private var idle: [PostgresConnection] = []
    private var waiters: [Waiter] = []
    /// The number of connections that are idle, lent or being opened.
    private(set) var open = 0
    private var lent = 0
    private var isShutDown = false

    /// The number of tasks that wait in line.
    var waiting: Int { waiters.count }

    nonisolated init(_ configuration: PostgresConfiguration) { self.configuration = configuration }

    func acquire() async throws -> PostgresConnection {
        try Task.checkCancellation()
        guard !isShutDown else { throw Self.shutDown }
        while let connection = idle.popLast() {
            if connection.isUntouched() { return lend(connection) }
            connection.close()
            open -= 1
        }
        if open < configuration.size {
            open += 1
            return try await openInPlace()
        }
        switch try await waitInLine() {
        case .connection(let connection): return lend(connection)
        case .place: return try await openInPlace()
        case .failure(let error): throw error
        }
    }

    func release(_ connection: PostgresConnection) {
        lent -= 1
        guard connection.isIdle, !isShutDown else {
            connection.close()
            return vacate()
        }
        if !grantFirst(.connection(connection)) { idle.append(connection) }
    }

    /// Closes idle connections now, and lent connections when they are returned. Tasks that wait, and later
    /// callers, get an error.
    func shutDown() {
        isShutDown = true
        for connection in idle { connection.close() }
        open -= idle.count
        idle = []
        failAll(Self.shutDown)
    }

    // MARK: -

    private static let shutDown = PostgresError(.connection, "the connections to PostgreSQL have been shut down")

    private func lend(_ connection: PostgresConnection) -> PostgresConnection {
        lent += 1
        return connection
    }

    /// Opens a connection in a place that is already counted.
    private func openInPlace() async throws -> PostgresConnection {
        do {
            let connection = try await PostgresConnection(configuration)
            if isShutDown { throw Self.shutDown }
            return lend(connection)
        } catch {
            // No connection is lent that could be returned, so the waiting tasks would get the same error later.
            if let error = error as? PostgresError, lent == 0 { failAll(error) }
            vacate()
            throw error
        }
    }

    private func waitInLine() async throws -> Grant {
        let waiter = Waiter()
        waiters.append(waiter)
        let wakeup = await waiter.suspension.wait(until: .now + configuration.acquireTimeout)
        if let grant = waiter.grant { return grant }
        waiters.removeAll { $0 === waiter }
        if wakeup == .cancelled { throw CancellationError() }
        throw PostgresError(
            .timeout, "all \(configuration.size) connections to PostgreSQL were in use for \(configuration.acquireTimeout)")
    }

    /// Gives up a place. The first task in line gets it, if there is one.
    private func vacate() {
        if !grantFirst(.place) { open -= 1 }
    }

    private func failAll(_ error: PostgresError) {
        while grantFirst(.failure(error)) {}
    }

    /// Grants a connection, a place or an error to the first task in line. Returns false when no task
    /// waits.
    private func grantFirst(_ grant: Grant) -> Bool {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            // A task that was canceled meanwhile, or has waited too long, does not accept the grant.
            guard waiter.suspension.wake(.ready) else { continue }
            waiter.grant = grant
            return true
        }
        return false
    }
}
