import ComposeClient
import ForeignText
import ImageModel

/// A node, as text for a person.
struct NodeText {
    let node: NodeDocument

    init(_ node: NodeDocument) { self.node = node }

    /// The platforms. Example: `linux/amd64, linux/arm64 (emulated)`.
    var platforms: String {
        let all = node.native + node.emulated.filter { !node.native.contains($0) }.map { "\($0) (emulated)" }
        return all.isEmpty ? "-" : all.joined(separator: ", ")
    }

    /// For example `n1: ready, linux/amd64, podman 4.3.1, 0 of 2 busy`, or `n2: connection refused`.
    var line: String {
        let text: String
        if !node.enabled {
            text = "disabled" + (node.problem.map { ": \($0)" } ?? "")
        } else {
            switch node.state {
            case "ready": text = "ready, \(platforms)\(node.engine.map { ", \($0)" } ?? ""), \(node.busy) of \(node.slots) busy"
            case "new": text = "no worker has looked at it yet"
            default: text = node.problem ?? node.state
            }
        }
        return "\(node.name): \(text)".printable()
    }

    /// The line, and the reasons for the platforms that it does not build.
    var details: String {
        guard node.state == "ready" else { return line }
        return ([line] + node.absent.sorted { $0.key < $1.key }.map { "  not \($0.key): \($0.value)".printable() }).joined(separator: "\n")
    }

    /// Prints a line for each node. The command fails if one of them is not ready.
    static func printStatus(of nodes: [NodeDocument], _ service: ConnectionOptions) throws {
        try service.print(nodes, or: nodes.isEmpty ? "There are no nodes." : nodes.map { NodeText($0).line }.joined(separator: "\n"))
        guard nodes.allSatisfy({ $0.enabled && $0.state == "ready" }) else { throw CommandFailure(.composeFailed) }
    }
}

/// Waits until workers have done what they were asked to do at nodes.
struct NodeWaiting: Sendable {
    let client: ComposeClient
    let names: [String]

    /// Returns the nodes when their platforms were tried, or when they turn out to be lost.
    func untilProbed() async throws -> [NodeDocument] {
        try await until { !$0.awaitsProbe || ($0.state == "lost" && $0.problem != nil) }
    }

    /// Returns the nodes when images were removed, or when they turn out to be lost.
    func untilPruned() async throws -> [NodeDocument] { try await until { !$0.awaitsPrune || $0.state == "lost" } }

    /// The looks after which a person learns what is missing, after about 30 seconds.
    private static let looksUntilHint = 100

    private func until(_ isDone: @escaping @Sendable (NodeDocument) -> Bool) async throws -> [NodeDocument] {
        let console = Console.current
        let nodes = try await console.unlessInterrupted {
            var nodes: [NodeDocument] = []
            for name in names {
                var node = try await client.node(name)
                var looks = 0
                while !isDone(node) {
                    looks += 1
                    if looks == Self.looksUntilHint {
                        try console.err.line("odcs: no worker has looked at \(name) yet; is one running that builds images?".printable())
                    }
                    // The service has no event for this, so it is asked again.
                    try await console.clock.sleep(for: .milliseconds(300))
                    node = try await client.node(name)
                }
                nodes.append(node)
            }
            return nodes
        }
        guard let nodes else { throw CommandFailure(.interrupted, "no longer waiting; 'odcs node status' shows the nodes") }
        return nodes
    }
}
