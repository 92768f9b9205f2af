public import ComposeStore
import ComposeWorker
public import Logging
public import Postgres
public import ServiceLifecycle

/// A step configuration is the settings of one worker for the steps of builds.
public struct StepConfiguration: Sendable {
    /// The name of the worker. It must be unique among all workers that share the database.
    public var name: String
    /// The number of steps that the worker does at the same time. They are not slots for composes, so a
    /// long build keeps no compose waiting.
    public var slots: Int
    public var offer: StepOffer
    /// The length of a lease. A lease is renewed after every third of its length.
    public var leaseLength: Duration = .seconds(15)
    public var pollInterval: Duration = .seconds(5)
    public var retries = RetryPolicy()
    /// The attempts at a step if a registry does not answer. The pauses between them take at least five
    /// minutes in all, so that a registry can start again. The built image stays on the node.
    public var registryRetries = RetryPolicy(attempts: 8)
    /// The longest time that one attempt at a step may take.
    public var limit: Duration = .seconds(3600)
    /// The number of builds of one rebuild that all workers together make at a time.
    public var buildsOfRebuild = 4
    /// The space that must be free. Nil if it does not matter.
    public var reserve: DiskReserve?

    public init(name: String, slots: Int, offer: StepOffer) {
        self.name = name
        self.slots = slots
        self.offer = offer
    }
}

/// A step loop claims steps of builds and does them, as many at a time as it has slots for steps.
///
/// On a graceful shutdown it claims no more steps, stops its work, and gives the leases back.
public struct StepLoop: Service {
    let configuration: StepConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let runner: any StepRunner
    let logger: Logger

    public init(
        configuration: StepConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, runner: any StepRunner,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.channel = channel
        self.runner = runner
        self.logger = logger
    }

    public func run() async throws {
        let keeper = LeaseKeeper(store: store, listener: listener, channel: channel, length: configuration.leaseLength)
        let attempts = StepAttempts(configuration: configuration, store: store, keeper: keeper, runner: runner, logger: logger)
        let loop = LeaseLoop(
            slots: configuration.slots, pollInterval: configuration.pollInterval, listener: listener, channel: channel, logger: logger,
            claim: {
                let offer = configuration.offer
                return try await store.claimStep(
                    by: configuration.name, offering: configuration.reserve?.offer(offer, logger: logger) ?? offer,
                    for: configuration.leaseLength,
                    buildsOfRebuild: configuration.buildsOfRebuild)
            }, run: attempts.run)
        await loop.runUntilShutdown()
    }
}
