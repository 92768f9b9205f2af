import Brokers
import ComposeStore
import Deliveries
import EmbeddedPostgres
import Logging
import Postgres
import ServiceConfiguration
import ServiceLifecycle
import ServiceLog
import SystemPackage
import UnixSignals

/// A publisher assembly creates the services of a publisher from a configuration and runs them
/// until a signal ends them.
struct PublisherAssembly {
    let configuration: PublisherConfiguration

    func run() async throws {
        let logger = configuration.log.begin()
        let pool = PostgresPool(
            configuration: PostgresConfiguration(
                connectionString: try await databaseAddress(logger: logger), schema: configuration.database.schema,
                size: configuration.database.connections,
                idleTransactionTimeout: min(.seconds(configuration.leaseSeconds) * 2 / 3, .seconds(60))), logger: logger)
        _ = try await Schema.migrate(pool)
        try await run(on: pool, logger: logger)
    }

    /// Returns the configured database, or that which the server runs itself. A publisher never starts or
    /// stops one, because the server would lose it when the publisher ends.
    private func databaseAddress(logger: Logger) async throws -> String {
        if let url = configuration.database.url { return url }
        let cluster = EmbeddedPostgres(directory: configuration.stateDirectory.appending("postgresql"), logger: logger)
        return try await cluster.join(within: .seconds(60))
    }

    private func run(on pool: PostgresPool, logger: Logger) async throws {
        let schema = configuration.database.schema
        let presence = WorkerPresence()
        let listener = PostgresListener(
            configuration: pool.configuration, channels: [schema], lock: presence.key, logger: logger)
        // Two services on one bus have other addresses.
        let origin = configuration.targetURLs["default"] ?? ""
        let receivers = configuration.brokers.map { BrokerReceiver($0, origin: origin, logger: logger) }
        let delivery = EventDelivery(
            store: ComposeStore(pool: pool), listener: listener, channel: schema, presence: presence, log: nil, receivers: receivers,
            targetURL: { [urls = configuration.targetURLs] in urls[$0] ?? "" }, logger: logger)
        let names = configuration.brokers.map(\.name).joined(separator: " ")
        logger.notice("publishing events", metadata: ["subscribers": "\(names)"])
        let services: [any Service] = [pool, listener, delivery]
        var group = ServiceGroupConfiguration(
            services: services.map { .init(service: $0, failureTerminationBehavior: .gracefullyShutdownGroup) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // A broker that hangs is waited for at most for as long as one call takes.
        group.maximumGracefulShutdownDuration = .seconds(15)
        try await ServiceGroup(configuration: group).run()
    }
}
