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

/// A step loop claims steps of builds and does them, as many at a time as it has slots. Platforms and
/// manifest lists have slots of their own.
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
        // A worker of this name may have had another node before.
        let isRecorded = Mutex(false)
        let use = SlotUse()
        let platforms = loop(slots: configuration.slots + configuration.nodeSlots, of: attempts, counting: use) {
            if !isRecorded.withLock(\.self) {
                try await store.record(nodeProblem: configuration.standing?.problem, of: configuration.name)
                isRecorded.withLock { $0 = true }
            }
            var offer = try await offer()
            if use.own >= configuration.slots { offer = offer.withoutOwnNode }
            offer.nodes = use.nodes < configuration.nodeSlots
            return offer
        }
        let lists = loop(slots: configuration.listSlots, of: attempts) { configuration.offer.withoutPlatforms }
        async let written: Void = lists.runUntilShutdown()
        await platforms.runUntilShutdown()
        await written
    }

    private func loop(
        slots: Int, of attempts: StepAttempts, counting use: SlotUse? = nil,
        offering offer: @escaping @Sendable () async throws -> StepOffer
    ) -> LeaseLoop<StepLease> {
        LeaseLoop(
            slots: slots, pollInterval: configuration.pollInterval, listener: listener, channel: channel, logger: logger,
            claim: {
                let offer = try await offer()
                guard offer.lists || offer.nodes || !offer.platforms.isEmpty else { return nil }
                let lease = try await store.claimStep(
                    by: configuration.name, present: configuration.presence, offering: offer, for: configuration.leaseLength,
                    buildsOfRebuild: configuration.buildsOfRebuild)
                if let lease { use?.begin(lease) }
                return lease
            },
            run: { lease, asked in
                await attempts.run(lease, asked: asked)
                use?.end(lease)
            })
    }

    /// Returns the platforms that this worker can build now. A worker with a disabled node builds none, and
    /// says so in the steps that wait for it.
    private func offer() async throws -> StepOffer {
        var offer = configuration.offer
        offer.lists = false
        guard let problem = configuration.standing?.problem else { return configuration.reserve?.offer(offer, logger: logger) ?? offer }
        try await store.record(nodeProblem: problem, of: configuration.name)
        try await store.explain(
            waitingFor: offer, because: "It waits for a worker. The one of \(configuration.name) is disabled: \(problem)")
        return offer.withoutOwnNode
    }
}

/// The platforms that a worker builds now: with its own node, and with nodes of farms.
private final class SlotUse: Sendable {
    private let counts = Mutex((own: 0, nodes: 0))

    var own: Int { counts.withLock(\.own) }
    var nodes: Int { counts.withLock(\.nodes) }

    func begin(_ lease: StepLease) { change(lease, by: 1) }
    func end(_ lease: StepLease) { change(lease, by: -1) }

    private func change(_ lease: StepLease, by number: Int) {
        counts.withLock { counts in
            if lease.step.isOnFarm { counts.nodes += number } else { counts.own += number }
        }
    }
}
