import BuildNodes
import ComposeStore
import ImageModel

/// The nodes that a worker builds steps with: its own, and those of farms.
struct StepNodes: Sendable {
    /// Nil if the worker only uses nodes of farms.
    let own: (any BuildNode)?
    let standing: NodeStanding
    let farms: EngineConnections?
    let store: ComposeStore

    /// Runs `body` with the node that the claim has chosen for a step.
    ///
    /// - Throws: `FailureOfNode` if a node of a farm is to blame. A node that was lost gets no steps until
    ///   it is seen again.
    func with<Value: Sendable>(_ step: Step, _ body: @escaping @Sendable (any BuildNode) async throws -> Value) async throws -> Value {
        guard step.isOnFarm, let name = step.node else {
            guard let own else { throw NodeFailure(.node, "This worker has no node of its own (images.slots).") }
            return try await body(own)
        }
        do {
            guard let farms else { throw NodeFailure(.node, "This worker does not use the nodes of farms (images.node_slots).") }
            let node: FarmNode
            do { node = try await store.node(name) } catch let error as NoSuchFarm { throw NodeFailure(.node, error.description) }
            return try await farms.with(node) { try await body($0) }
        } catch let failure as NodeFailure where failure.isOfNode {
            if failure.kind == .nodeLost { try await store.recordLoss(of: name, because: failure.sentence) }
            // The node builds fewer platforms than it did, unless a person has removed it meanwhile.
            if failure.kind == .noEmulator { do { _ = try await store.askProbe(of: name) } catch is NoSuchFarm {} }
            throw FailureOfNode(failure: BuildFailure(failure, attempt: step.attempts))
        }
    }

    /// Disables a node that lies, or whose registry does.
    func disable(_ step: Step, because problem: String) async throws {
        guard step.isOnFarm, let name = step.node else { return standing.disable(because: problem) }
        try await store.disableNode(name, because: problem)
    }
}
