import Brokers
import ComposeStore
import Deliveries
import EmbeddedPostgres
import Logging
import Postgres
import ServiceLifecycle
import SystemPackage
import UnixSignals

/// A publisher assembly creates the services of a publisher from a configuration and runs them
/// until a signal ends them.
struct PublisherAssembly {
    let configuration: PublisherConfiguration

    func run() async throws {
        LogLevel.current = configuration.logLevel
        if configuration.logsJSON {
            LoggingSystem.bootstrap { LeveledLog(PrintableLog(JSONLog(label: $0))) }
        } else {
            LoggingSystem.bootstrap { LeveledLog(PrintableLog(StreamLogHandler.standardError(label: $0))) }
        }
        let logger = Logger(label: "odcs")
        var embedded: EmbeddedPostgres?
        var url = configuration.databaseURL ?? ""
        if configuration.databaseURL == nil {
            let cluster = EmbeddedPostgres(directory: configuration.stateDirectory.appending("postgresql"), logger: logger)
            url = try await cluster.start()
            embedded = cluster
        }
        let pool = PostgresPool(
            configuration: PostgresConfiguration(
                connectionString: url, schema: configuration.schema, size: configuration.connections,
                idleTransactionTimeout: min(.seconds(configuration.leaseSeconds) * 2 / 3, .seconds(60))), logger: logger)
        do {
            _ = try await Schema.migrate(pool)
            try await run(on: pool, logger: logger)
        } catch {
            try await embedded?.stop()
            throw error
        }
        try await embedded?.stop()
    }

    private func run(on pool: PostgresPool, logger: Logger) async throws {
        let schema = configuration.schema
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
