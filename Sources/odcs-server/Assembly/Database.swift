import ComposeStore
import EmbeddedPostgres
import Logging
import Postgres
import ServiceConfiguration
import SystemPackage
import Traces

/// The database of a process. It is the configured database, or the embedded cluster, which runs for as
/// long as it is needed.
struct Database {
    let pool: PostgresPool
    private let embedded: EmbeddedPostgres?

    /// The part of a process in the embedded cluster.
    enum Part {
        /// It starts the cluster, and stops it when it ends itself.
        case owner
        /// It uses a cluster that another process has started.
        case guest
        /// It is a command that ends soon. It starts the cluster only if it does not run.
        case visitor
    }

    /// Finds or starts the embedded cluster if no other database is configured. It makes no connection yet.
    static func start(_ configuration: ServerConfiguration, as part: Part, logger: Logger) async throws -> Database {
        var embedded: EmbeddedPostgres?
        let url: String
        if let configured = configuration.database.url {
            url = configured
            if part != .visitor { noteUnusedCluster(configuration, logger: logger) }
        } else {
            let cluster = EmbeddedPostgres(directory: configuration.stateDirectory.appending("postgresql"), logger: logger)
            url =
                switch part {
                case .owner: try await cluster.start()
                case .guest: try await cluster.join(within: .seconds(60))
                case .visitor: try await cluster.visit()
                }
            embedded = cluster
        }
        let settings = PostgresConfiguration(
            connectionString: url, schema: configuration.database.schema, size: configuration.database.connections,
            idleTransactionTimeout: idleTransactionTimeout(lease: configuration.worker.leaseSeconds), settings: Schema.sessionSettings,
            tracesStatements: configuration.tracing.tracesStatements)
        return Database(pool: PostgresPool(configuration: settings, logger: logger), embedded: embedded)
    }

    /// Notes that the embedded cluster of earlier starts, if there is one, does not know the composes
    /// any more.
    private static func noteUnusedCluster(_ configuration: ServerConfiguration, logger: Logger) {
        do {
            try EmbeddedPostgres.noteUnused(configuration.stateDirectory.appending("postgresql"))
        } catch {
            logger.notice("could not note that the service's own PostgreSQL is unused", metadata: ["error": "\(error)"])
        }
    }

    /// Returns the time after which an idle transaction ends: two thirds of a lease, and at most 60
    /// seconds. A process that stops in the middle of a transaction therefore never holds its locks longer
    /// than its leases.
    private static func idleTransactionTimeout(lease: Int) -> Duration { min(.seconds(lease) * 2 / 3, .seconds(60)) }

    /// Does the same as ``start(_:as:logger:)`` and also updates the schema.
    static func open(_ configuration: ServerConfiguration, as part: Part, logger: Logger) async throws -> Database {
        let database = try await start(configuration, as: part, logger: logger)
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
