import BackgroundWork
public import ComposeStore
public import Logging
public import ServiceLifecycle

/// A token announcer notices API tokens that expire soon. Each becomes an event, which
/// ``EventDelivery`` delivers.
public struct TokenAnnouncer: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let logger: Logger

    public init(store: ComposeStore, configuration: WorkerConfiguration, logger: Logger) {
        self.store = store
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async throws {
        await housekeeping(every: configuration.tokenInterval) {
            do {
                _ = try await store.announceTokens(expiringWithin: configuration.tokenWarning)
            } catch {
                logger.workFailed("could not look for API tokens that expire soon", error)
            }
        }
    }
}
