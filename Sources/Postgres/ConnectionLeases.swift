/// Who has which connection: at most `size` are open, idle ones are lent out, and who finds none waits in line.
@PostgresThread final class ConnectionLeases {
    private enum Grant {
        case connection(PostgresConnection)
        /// The right to open a connection.
        case place
        case failure(PostgresError)
    }

    /// Somebody in line, and what was granted in the end.
    private final class Waiter {
        let suspension = Suspension()
        var grant: Grant?
    }

    private let configuration: PostgresConfiguration
    /// The one used last is at the end, and is lent first: its caches are warm.
    private var idle: [PostgresConnection] = []
    private var waiters: [Waiter] = []
    /// Connections that are idle, lent, or being opened.
    private(set) var open = 0
    private var lent = 0
    private var isShutDown = false

    /// How many stand in line.
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

    /// Closes idle connections now and lent ones when they come back; who waits or comes later gets an error.
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

    /// Opens a connection in a place already counted.
    private func openInPlace() async throws -> PostgresConnection {
        do {
            let connection = try await PostgresConnection(configuration)
            if isShutDown { throw Self.shutDown }
            return lend(connection)
        } catch {
            // Nobody has a connection that could come back: who waits would only learn the same later.
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

    /// Gives up a place, to the first in line if there is one.
    private func vacate() {
        if !grantFirst(.place) { open -= 1 }
    }

    private func failAll(_ error: PostgresError) {
        while grantFirst(.failure(error)) {}
    }

    /// False: nobody waits.
    private func grantFirst(_ grant: Grant) -> Bool {
        while !waiters.isEmpty {
            let waiter = waiters.removeFirst()
            // Who has been cancelled meanwhile, or has waited too long, does not take it.
            guard waiter.suspension.wake(.ready) else { continue }
            waiter.grant = grant
            return true
        }
        return false
    }
}
