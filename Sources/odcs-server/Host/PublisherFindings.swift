import ComposeStore
import Deliveries
import Logging

/// The brokers that get no events, because no `odcs-publisher` is alive.
enum PublisherFindings {
    /// Asks the database. The embedded one is not started for the question.
    static func all(_ configuration: ServerConfiguration) async -> [String] {
        let brokers = configuration.events.brokers
        guard !brokers.isEmpty, configuration.database.url != nil else { return [] }
        let logger = Logger(label: "odcs-server") { _ in SwiftLogNoOpLogHandler() }
        do {
            let database = try await Database.start(configuration, logger: logger)
            let subscribers = try await ComposeStore(pool: database.pool).subscribers()
            await database.close(logger: logger)
            return brokers.filter { broker in !subscribers.contains { $0.name == broker.name && $0.isServed } }.map { broker in
                "events.subscribers.\(broker.name) gets no events: no odcs-publisher was seen in the last three minutes. Start one with "
                    + "odcs-publisher run --config FILE."
            }
        } catch {
            return ["Whether an odcs-publisher serves the brokers of events.subscribers is unknown: the database does not answer."]
        }
    }
}
