import ComposeStore
import EmbeddedPostgres
import Logging
import Postgres
import SystemPackage

/// The database of a process: the configured one, or the embedded cluster, started for as long as it is needed.
struct Database {
    let pool: PostgresPool
    private let embedded: EmbeddedPostgres?

    /// Starts the embedded cluster where no other database is configured; connects to nothing yet.
    static func start(_ configuration: ServerConfiguration, logger: Logger) async throws -> Database {
        var embedded: EmbeddedPostgres?
        let url: String
        if let configured = configuration.database.url {
            url = configured
        } else {
            let cluster = EmbeddedPostgres(directory: configuration.stateDirectory.appending("postgresql"), logger: logger)
            url = try await cluster.start()
            embedded = cluster
        }
        let settings = PostgresConfiguration(
            connectionString: url, schema: configuration.database.schema, size: configuration.database.connections,
            idleTransactionTimeout: idleTransactionTimeout(lease: configuration.worker.leaseSeconds))
        return Database(pool: PostgresPool(configuration: settings, logger: logger), embedded: embedded)
    }

    /// A process that stops in a transaction keeps others from what it has locked for no longer than from the composes that it has leased.
    private static func idleTransactionTimeout(lease: Int) -> Duration { min(.seconds(lease) * 2 / 3, .seconds(60)) }

    /// As ``start(_:logger:)``, and brings the schema up to date.
    static func open(_ configuration: ServerConfiguration, logger: Logger) async throws -> Database {
        let database = try await start(configuration, logger: logger)
        do {
            try await database.migrate(logger: logger)
        } catch {
            await database.close(logger: logger)
            throw error
        }
        return database
    }

    func migrate(logger: Logger) async throws {
        switch try await Schema.migrate(pool) {
        case .current: break
        case .created(let version): logger.info("database schema created", metadata: ["version": "\(version)"])
        case .upgraded(let from, let to): logger.info("database schema upgraded", metadata: ["from": "\(from)", "to": "\(to)"])
        }
    }

    /// Stops the embedded cluster, if this process started it.
    func close(logger: Logger) async {
        do {
            try await embedded?.stop()
        } catch {
            logger.error("could not stop the embedded PostgreSQL", metadata: ["error": "\(error)"])
        }
    }
}
