import ComposeStore
import Deliveries
import Logging
import ServiceConfiguration

/// The brokers that get no events, because no `odcs-publisher` is alive.
enum PublisherFindings {
    /// Asks the database. The embedded one is not started for the question.
    ///
    /// - Parameter file: The configuration file. `nil` if the process has no file.
    static func all(_ configuration: ServerConfiguration, file: String?) async -> [String] {
        let brokers = configuration.events.brokers
        guard !brokers.isEmpty else { return [] }
        do { try ProcessRole.publisher.check(configuration, file: file) } catch {
            return ["The brokers of events.subscribers get no events, because odcs-publisher cannot start. \(error)."]
        }
        guard configuration.database.url != nil else { return [] }
        let logger = Logger(label: "odcs-server") { _ in SwiftLogNoOpLogHandler() }
        do {
            let database = try await Database.start(configuration, as: .visitor, logger: logger)
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
