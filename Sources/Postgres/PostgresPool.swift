public import Logging
public import ServiceLifecycle

/// A few connections to one database that many tasks share.
///
/// It connects when first needed, drops connections that were lost, and connects again at the next use. As a service, it ends with the
/// idle connections closed; used without, they are closed with the pool.
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

    /// Runs until the graceful shutdown or the task's cancellation, then lends no connection any more.
    public func run() async throws {
        logger.debug("PostgreSQL pool runs", metadata: ["size": "\(configuration.size)"])
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // Ends the pool just as well.
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

    /// Lends a connection for the time of `body`, which must not keep it.
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

    /// Runs `body` in a transaction, which is committed when it returns and rolled back when it throws.
    ///
    /// - Throws: what `body` throws; ``PostgresError`` with code `serialization` when the transaction has to begin anew, which is the
    ///   caller's to do; `CancellationError` when it was cancelled before the COMMIT. When the connection is lost during COMMIT, whether
    ///   it took effect is unknown.
    public func withTransaction<R>(
        isolation: isolated (any Actor)? = #isolation, _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        try await withConnection { connection in
            try await connection.simple("BEGIN")
            do {
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
