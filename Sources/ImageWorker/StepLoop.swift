public import ComposeStore
import ComposeWorker
import ImageModel
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// A step configuration is the settings of one worker for the steps of builds.
public struct StepConfiguration: Sendable {
    /// The name of the worker. It must be unique among all workers that share the database.
    public var name: String
    /// The lock by which others see that the worker is alive. Nil if it has none.
    public var presence: WorkerPresence?
    /// The number of platforms that the worker builds at the same time. They are not slots for composes, so
    /// a long build keeps no compose waiting.
    public var slots: Int
    /// The number of platforms that nodes of farms build for the worker at a time. They need little of this
    /// host.
    public var nodeSlots = 0
    /// The number of manifest lists that the worker writes at the same time. They have slots of their own,
    /// because a list waits for the registry, and the next platform can be built meanwhile.
    public var listSlots = 4
    public var offer: StepOffer
    /// The length of a lease. If a host hangs or is cut off, its steps begin anew after this time.
    public var leaseLength: Duration = .seconds(15)
    public var pollInterval: Duration = .seconds(5)
    public var retries = RetryPolicy()
    /// The attempts at a step if a registry does not answer. The pauses between them take at least five
    /// minutes in all, so that a registry can start again. The built image stays on the node.
    public var registryRetries = RetryPolicy(attempts: 8)
    /// The longest time that one attempt at a step may take.
    public var limit: Duration = .seconds(3600)
    /// The time between the record of a result and the removal of the image from the node of a farm.
    public var cleaningPause: Duration = .milliseconds(500)
    /// The longest time of such a removal.
    public var cleaningLimit: Duration = .seconds(10)
    /// The number of builds of one rebuild that all workers together make at a time.
    public var buildsOfRebuild = 4
    /// The space that must be free. Nil if it does not matter.
    public var reserve: DiskReserve?
    /// Whether the node may build. Nil if there is no node.
    public var standing: NodeStanding?

    public init(name: String, slots: Int, offer: StepOffer) {
        self.name = name
        self.slots = slots
        self.offer = offer
    }
}

/// A step loop claims steps of builds and does them, as many at a time as it has slots. Platforms of
/// the worker's own node, platforms of nodes of farms, and manifest lists have slots of their own.
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
        let cleaning = StepCleaning(
            runner: runner, after: configuration.cleaningPause, within: configuration.cleaningLimit, logger: logger)
        let attempts = StepAttempts(
            configuration: configuration, store: store, keeper: keeper, runner: runner, cleaning: cleaning, logger: logger)
        // A worker of this name may have had another node before.
        let isRecorded = Mutex(false)
        let use = SlotUse()
        async let cleaned: Void = cleaning.run()
        await LeaseLoop<StepLease>(
            slots: configuration.slots + configuration.nodeSlots + configuration.listSlots, pollInterval: configuration.pollInterval,
            listener: listener, channel: channel, logger: logger,
            claim: {
                if !isRecorded.withLock(\.self) {
                    try await store.record(nodeProblem: configuration.standing?.problem, of: configuration.name)
                    isRecorded.withLock { $0 = true }
                }
                var offer = try await offer()
                if use.own >= configuration.slots { offer = offer.withoutOwnNode }
                offer.nodes = use.nodes < configuration.nodeSlots
                offer.lists = use.lists < configuration.listSlots
                guard offer.lists || offer.nodes || !offer.platforms.isEmpty else { return nil }
                let lease = try await store.claimStep(
                    by: configuration.name, present: configuration.presence, offering: offer, for: configuration.leaseLength,
                    buildsOfRebuild: configuration.buildsOfRebuild)
                if let lease { use.begin(lease) }
                return lease
            },
            run: { lease, asked in
                await attempts.run(lease, asked: asked)
                use.end(lease)
            }
        ).runUntilShutdown()
        await cleaned
    }

    /// Returns the platforms that this worker can build now. A worker with a disabled node builds none, and
    /// says so in the steps that wait for it.
    private func offer() async throws -> StepOffer {
        let offer = configuration.offer
        guard let problem = configuration.standing?.problem else { return configuration.reserve?.offer(offer, logger: logger) ?? offer }
        try await store.record(nodeProblem: problem, of: configuration.name)
        try await store.explain(
            waitingFor: offer, because: "It waits for a worker. The one of \(configuration.name) is disabled: \(problem)")
        return offer.withoutOwnNode
    }
}

/// The steps that a worker does now: platforms with its own node, platforms with nodes of farms, and
/// manifest lists.
private final class SlotUse: Sendable {
    private let counts = Mutex((own: 0, nodes: 0, lists: 0))

    var own: Int { counts.withLock(\.own) }
    var nodes: Int { counts.withLock(\.nodes) }
    var lists: Int { counts.withLock(\.lists) }

    func begin(_ lease: StepLease) { change(lease, by: 1) }
    func end(_ lease: StepLease) { change(lease, by: -1) }

    private func change(_ lease: StepLease, by number: Int) {
        counts.withLock { counts in
            if lease.step.platform == nil {
                counts.lists += number
            } else if lease.step.isOnFarm {
                counts.nodes += number
            } else {
                counts.own += number
            }
        }
    }
}
