import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import Identity
import ImageModel

/// The handlers of `/api/1/nodes`: list, show, add, change and remove nodes, and ask workers to try
/// their platforms or to remove images.
struct NodeController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource("/api/1/nodes", [.get: .open(list), .post: .needs(.manageNodes, add)]),
            Resource(
                "/api/1/nodes/{id}", [.get: .open(show), .patch: .needs(.manageNodes, change), .delete: .needs(.manageNodes, remove)]),
            Resource("/api/1/nodes/{id}/probe", [.post: .needs(.manageNodes, probe)]),
            Resource("/api/1/nodes/{id}/prune", [.post: .needs(.manageNodes, prune)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let showsAddress = configuration.access.managesNodes(context.subject.sender)
        let nodes = try await store.nodes().map { NodeDocument($0, showsAddress: showsAddress) }
        return try .json(NodeList(items: nodes))
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let node = try await RequestRejection.namingFarms { try await store.node(context.name) }
        return try .json(NodeDocument(node, showsAddress: configuration.access.managesNodes(context.subject.sender)))
    }

    private func add(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["name"] + BodyField.nodeMembers)
        guard let name = try body.string("name"), let connection = try body.connection() else {
            throw RequestRejection.badRequest(
                "name and connection must be there, as in {\"name\": \"n1\", \"connection\": \"unix:///PATH\"}.")
        }
        try RequestRejection.translating { () throws(ImageProblem) in try FarmNode.check(name: name, of: "node") }
        guard connection != .local, name != FarmNode.localName else {
            throw RequestRejection.badRequest("The node local is there already. It stands for the workers themselves.")
        }
        var node = FarmNode(name: name, connection: connection)
        try body.apply(to: &node)
        guard try await store.addNode(node) else {
            throw RequestRejection(
                .conflict, "There is a node \(name) already. Change it with PATCH (odcs node update), or use another name.")
        }
        return try .json(NodeDocument(try await store.node(name), showsAddress: true), status: .created)
    }

    private func change(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        var node = try await RequestRejection.namingFarms { try await store.node(context.name) }
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(BodyField.nodeMembers)
        if let connection = try body.connection() {
            guard (connection == .local) == (node.name == FarmNode.localName) else {
                throw RequestRejection.badRequest("Only the node local has the connection local, and it has no other one.")
            }
            node.connection = connection
        }
        try body.apply(to: &node)
        let changed = node
        let stored = try await RequestRejection.namingFarms { try await store.changeNode(changed) }
        return try .json(NodeDocument(stored, showsAddress: true))
    }

    private func remove(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let node = try await RequestRejection.namingFarms { try await store.node(context.name) }
        guard node.name != FarmNode.localName else {
            throw RequestRejection.badRequest("The node local stands for the workers themselves and stays. It can be disabled.")
        }
        _ = try await store.removeNode(node.name)
        return try .json(Acknowledgement(message: "The node \(node.name) was removed from all farms."), status: .accepted)
    }

    private func probe(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let node = try await RequestRejection.namingFarms { try await store.askProbe(of: context.name) }
        return try .json(NodeDocument(node, showsAddress: true), status: .accepted)
    }

    private func prune(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["all", "older_than_seconds"])
        let age = try body.integer("older_than_seconds")
        if let age, !(0...3_153_600_000).contains(age) {
            throw RequestRejection.badRequest("older_than_seconds must be from 0 to 3153600000, not \(age).")
        }
        let asked = PruneRequest(all: try body.boolean("all") ?? false, olderThanSeconds: age)
        let node = try await RequestRejection.namingFarms { try await store.askPrune(of: context.name, asked) }
        return try .json(NodeDocument(node, showsAddress: true), status: .accepted)
    }
}

extension FrontendContext {
    /// The text in the place of the path's `{id}`, which is a name.
    var name: String { parameters.get("id") ?? "" }
}

extension RequestRejection {
    /// Runs `body`, and answers with 404 if a node or farm does not exist.
    static func namingFarms<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as NoSuchFarm {
            throw RequestRejection(.notFound, error.description)
        }
    }

    /// Runs `body`, and answers with 400 if a text cannot be used.
    static func translating<Value>(_ body: () throws(ImageProblem) -> Value) throws(RequestRejection) -> Value {
        do {
            return try body()
        } catch {
            throw .badRequest(error.description)
        }
    }
}
