import BackgroundWork
public import BuildNodes
public import ComposeStore
import ComposeWorker
import Foundation
import ImageModel
public import Logging
public import ServiceLifecycle
import Synchronization

/// A *node watcher* looks at the nodes of farms: whether they answer, which platforms they build, and
/// whether images are to be removed. Of all workers, one looks at a node at a time. Images of steps
/// that have ended are removed every few minutes.
///
/// It also records which platforms the worker builds with its own node.
public struct NodeWatcher: Service {
    /// The pause between two looks at a node that is ready, and at one that is lost.
    private static let (readyPause, lostPause) = (Duration.seconds(10), Duration.seconds(5))
    /// The time that a look may take, with all platforms. Another worker looks after it.
    private static let longestLook = Duration.seconds(300)
    /// The same for a look at which nothing is tried and nothing is asked for.
    private static let shortLook = Duration.seconds(60)

    let worker: String
    let offer: StepOffer
    let slots: Int
    let store: ComposeStore
    let connections: EngineConnections?
    let interval: Duration
    let sweeps: NodeSweeps
    let logger: Logger

    /// - Parameters:
    ///   - worker: The name of the worker.
    ///   - offer: The platforms that the worker builds with its own node.
    ///   - slots: How many of them it builds at a time.
    ///   - connections: The connections to nodes. `nil` if the worker uses none. Then it does not look at
    ///     any, because it may not reach them.
    ///   - interval: The pause between two questions for nodes whose time for a look has come.
    ///   - sweepInterval: The time after which images of steps that have ended are removed from a node
    ///     again.
    public init(
        worker: String, offer: StepOffer, slots: Int, store: ComposeStore, connections: EngineConnections?,
        every interval: Duration = .seconds(1), sweepInterval: Duration = .seconds(300), logger: Logger
    ) {
        self.worker = worker
        self.offer = offer
        self.slots = slots
        self.store = store
        self.connections = connections
        self.interval = interval
        sweeps = NodeSweeps(interval: sweepInterval)
        self.logger = logger
    }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            // A look that takes long does not delay the others.
            let (nodes, found) = AsyncStream.makeStream(of: FarmNode.self)
            group.addTask {
                await periodically(every: interval) {
                    do {
                        try await store.record(offer, slots: slots, of: worker)
                        for node in try await dueNodes() { found.yield(node) }
                    } catch {
                        logger.workFailed("could not look for nodes", error)
                    }
                }
                found.finish()
            }
            for await node in nodes { group.addTask { await look(at: node) } }
        }
    }

    /// Looks at all nodes whose time has come.
    func runOnce() async throws {
        try await store.record(offer, slots: slots, of: worker)
        for node in try await dueNodes() { await look(at: node) }
    }

    private func dueNodes() async throws -> [FarmNode] {
        guard connections != nil else { return [] }
        return try await store.nodesToLookAt(for: Self.longestLook, orOnly: Self.shortLook)
    }

    private func look(at node: FarmNode) async {
        let look = await cancelWhenGracefulShutdown { await result(of: node) }
        // A look that was broken off says nothing. Another worker looks again.
        guard !Task.isShuttingDownGracefully, !Task.isCancelled else { return await giveBack(node) }
        if node.state != .lost, let problem = look.problem {
            logger.warning("a node is lost", metadata: ["node": "\(node.name)", "reason": "\(problem)"])
        } else if node.state != .ready, look.problem == nil {
            logger.notice("a node is ready", metadata: ["node": "\(node.name)", "engine": "\(look.engine ?? "")"])
        }
        do {
            try await store.record(look, at: node, next: look.problem == nil ? Self.readyPause : Self.lostPause)
        } catch {
            logger.error("could not record a look at a node", metadata: ["node": "\(node.name)", "error": "\(error)"])
        }
    }

    private func giveBack(_ node: FarmNode) async {
        do {
            try await store.giveBackLook(at: node)
        } catch {
            logger.error("could not give a look at a node back", metadata: ["node": "\(node.name)", "error": "\(error)"])
        }
    }

    private func result(of node: FarmNode) async -> NodeLook {
        // Without connections, no look is taken.
        guard let connections else { return NodeLook(problem: "the worker uses no nodes") }
        do {
            let isShort = !node.awaitsProbe && node.prune.asked == nil
            return try await withTimeLimit((isShort ? Self.shortLook : Self.longestLook) / 2) {
                try await connections.with(node) { engine in
                    var look = NodeLook(engine: try await engine.version())
                    if node.awaitsProbe {
                        let found = try await engine.probe()
                        look.probe = NodeLook.Probe(native: found.native, emulated: found.emulated, absent: found.absent)
                    }
                    if let asked = node.prune.asked {
                        // Only steps that have begun need their images.
                        let (removed, left) = try await engine.prune(asked, leased: { try Self.names(of: try await store.begunSteps()) })
                        look.prune = PruneResult(removed: removed, left: left, time: Date())
                    }
                    if sweeps.isDue(node.name) { try await sweep(engine) }
                    return look
                }
            }
        } catch let failure as NodeFailure {
            // The name of the node stands before the reason wherever it is shown.
            let prefix = "The node \(node.name) is lost: "
            let reason =
                failure.sentence.hasPrefix(prefix) ? failure.sentence.dropFirst(prefix.count).trimmingSuffix(".") : failure.sentence
            return NodeLook(problem: reason)
        } catch is CancellationError {
            return NodeLook(problem: "it does not answer in time")
        } catch {
            logger.error("could not look at a node", metadata: ["node": "\(node.name)", "error": "\(error)"])
            return NodeLook(problem: "the worker failed at a look at it")
        }
    }

    /// Removes the images of steps that have ended. A node that refuses it can still build.
    private func sweep(_ engine: EngineNode) async throws {
        do {
            try await engine.sweep { steps in
                let ids = Set(steps.compactMap { PlatformStep.id(in: $0) })
                return try steps.intersection(Self.names(of: try await store.endedSteps(among: ids)))
            }
        } catch let failure as NodeFailure where failure.kind != .nodeLost {
            logger.warning("images of a node cannot be removed", metadata: ["node": "\(engine.name)", "reason": "\(failure.sentence)"])
        }
        sweeps.note(engine.name)
    }

    /// Returns the names of the images of steps.
    private static func names(of steps: [Int: Date]) throws -> Set<ImageTag> {
        Set(try steps.map { try PlatformStep.name(of: $0.key, submitted: $0.value) })
    }

    private func withTimeLimit<Value: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // This task is the clock of the other one.
                try await Task.sleep(for: limit)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

/// The times at which a worker has removed the images of ended steps from nodes.
final class NodeSweeps: Sendable {
    private let interval: Duration
    private let times = Mutex<[String: ContinuousClock.Instant]>([:])

    init(interval: Duration) { self.interval = interval }

    func isDue(_ node: String) -> Bool {
        times.withLock { times in times[node].map { .now - $0 >= interval } ?? true }
    }

    func note(_ node: String) { times.withLock { $0[node] = .now } }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : String(self) }
}
