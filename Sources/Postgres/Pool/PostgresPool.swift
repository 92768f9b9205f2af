public import Logging
public import ServiceLifecycle

/// A pool of a few connections to one database, shared by many tasks.
///
/// It connects at the first use, drops lost connections, and connects again at the next use. A pool
/// that runs as a service closes its idle connections when the service ends. Otherwise they are closed
/// together with the pool.
public final class PostgresPool: Service {
    public typealias Configuration = PostgresConfiguration

    public let configuration: Configuration
    let leases: ConnectionLeases
    private let logger: Logger

    public init(configuration: Configuration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        leases = ConnectionLeases(configuration)
    }

    /// Runs until the graceful shutdown or the cancellation of the task. After that, it lends no more
    /// connections.
    public func run() async throws {
        logger.debug("PostgreSQL pool runs", metadata: ["size": "\(configuration.size)"])
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // A cancellation ends the pool in the same way.
        }
        await leases.shutDown()
        logger.debug("PostgreSQL pool is shut down")
    }

    /// Runs one statement on any connection.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError`.
    @PostgresThread public func query(_ sql: SQL) async throws -> PostgresRows {
        let connection = try await leases.acquire()
        defer { leases.release(connection) }
        return try await connection.query(sql)
    }

    /// Runs statements in one transaction on any connection, and sends all of them at once. So they cost
    /// one round trip. Each sees what those before it have changed, and the commits of other
    /// transactions until it began.
    ///
    /// - Returns: The rows of each statement.
    /// - Throws: The error of the first statement that failed. Nothing was changed then. If the connection
    ///   is lost, or the task is canceled, it is unknown whether the transaction took effect.
    @PostgresThread public func transaction(_ statements: [SQL]) async throws -> [PostgresRows] {
        let connection = try await leases.acquire()
        defer { leases.release(connection) }
        return try await connection.transaction(statements)
    }

    /// Lends a connection to `body`, which must not keep it.
    public func withConnection<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let connection = try await leases.acquire()
        do {
            let result = try await body(connection)
            await leases.release(connection)
            return result
        } catch {
            await leases.release(connection)
            throw error
        }
    }

    /// Runs `body` in a transaction. The transaction is committed when `body` returns, and rolled back when
    /// it throws.
    ///
    /// - Parameter first: A statement without parameters that is sent together with BEGIN, so that it
    ///   costs no round trip of its own. Example: `SELECT pg_advisory_xact_lock(7)`.
    /// - Throws: The error of `body`, a ``PostgresError``, or `CancellationError` when the task was
    ///   canceled before the COMMIT. The code `serialization` means that the transaction must be repeated,
    ///   which is left to the caller. If the connection is lost during COMMIT, it is unknown whether the
    ///   transaction took effect.
    public func withTransaction<R>(
        isolation: isolated (any Actor)? = #isolation, beginningWith first: String? = nil,
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await withConnection { connection in
            do {
                try await connection.simple(first.map { "BEGIN; \($0)" } ?? "BEGIN")
                let result = try await body(connection)
                try await connection.commit()
                return result
            } catch {
                await connection.rollback()
                throw error
            }
        }
    }
}
