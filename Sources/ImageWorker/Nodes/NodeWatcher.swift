public import BuildNodes
public import ComposeStore
import ComposeWorker
import Foundation
import ImageModel
public import Logging
public import ServiceLifecycle

/// A *node watcher* looks at the nodes of farms: whether they answer, which platforms they build, and
/// whether images are to be removed. Of all workers, one looks at a node at a time.
///
/// It also records which platforms the worker builds with its own node.
public struct NodeWatcher: Service {
    /// The pause between two looks at a node that is ready, and at one that is lost.
    private static let (readyPause, lostPause) = (Duration.seconds(10), Duration.seconds(5))
    /// The time that a look may take, with all platforms.
    private static let longestLook = Duration.seconds(300)

    let worker: String
    let offer: StepOffer
    let slots: Int
    let store: ComposeStore
    let connections: EngineConnections
    let interval: Duration
    let logger: Logger

    /// - Parameters:
    ///   - worker: The name of the worker.
    ///   - offer: The platforms that the worker builds with its own node.
    ///   - slots: How many of them it builds at a time.
    ///   - interval: The pause between two questions for nodes whose time for a look has come.
    public init(
        worker: String, offer: StepOffer, slots: Int, store: ComposeStore, connections: EngineConnections,
        every interval: Duration = .seconds(1), logger: Logger
    ) {
        self.worker = worker
        self.offer = offer
        self.slots = slots
        self.store = store
        self.connections = connections
        self.interval = interval
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
                        for node in try await store.nodesToLookAt(for: Self.longestLook) { found.yield(node) }
                    } catch {
                        logger.error("could not look for nodes", metadata: ["error": "\(error)"])
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
        for node in try await store.nodesToLookAt(for: Self.longestLook) { await look(at: node) }
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
        do {
            // Only steps that have begun need their images.
            let leased =
                node.prune.asked == nil
                ? []
                : Set(
                    try await store.begunSteps().map { try PlatformStep.name(of: $0.key, submitted: $0.value) })
            return try await withTimeLimit(Self.longestLook / 2) {
                try await connections.with(node) { engine in
                    var look = NodeLook(engine: try await engine.version())
                    if node.awaitsProbe {
                        let found = try await engine.probe()
                        look.probe = NodeLook.Probe(native: found.native, emulated: found.emulated, absent: found.absent)
                    }
                    if let asked = node.prune.asked {
                        let (removed, left) = try await engine.prune(asked, leased: leased)
                        look.prune = PruneResult(removed: removed, left: left, time: Date())
                    }
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

extension StringProtocol {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : String(self) }
}
