import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import Identity
import ImageModel

/// The handlers of `/api/1/farms` and `/api/1/schedule`: list, show, create, change and remove farms,
/// and show which nodes would build platforms.
struct FarmController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    private static let mostNodes = 1000

    var resources: [Resource] {
        [
            Resource("/api/1/farms", [.get: .open(list), .post: .needs(.manageNodes, create)]),
            Resource(
                "/api/1/farms/{id}", [.get: .open(show), .patch: .needs(.manageNodes, change), .delete: .needs(.manageNodes, remove)]),
            Resource("/api/1/schedule", [.get: .open(schedule)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let nodes = try await documents(for: context)
        let farms = try await store.farms().map { farm in FarmDocument(farm, nodes: nodes.filter { farm.nodes.contains($0.name) }) }
        return try .json(FarmList(items: farms))
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        return try await answer(context.name, context)
    }

    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["name", "nodes", "default"])
        guard let name = try body.string("name") else {
            throw RequestRejection.badRequest("name is missing, as in {\"name\": \"f\", \"nodes\": [\"n1\", \"n2\"]}.")
        }
        try RequestRejection.translating { () throws(ImageProblem) in try FarmNode.check(name: name, of: "farm") }
        let farm = Farm(name: name, isDefault: try body.boolean("default") ?? false, nodes: try Self.names(body, "nodes"))
        let isNew: Bool
        do {
            isNew = try await store.createFarm(farm)
        } catch let error as NoSuchFarm {
            throw RequestRejection.badRequest(error.description)
        }
        guard isNew else {
            throw RequestRejection(
                .conflict, "There is a farm \(name) already. Change it with PATCH (odcs farm update), or use another name.")
        }
        return try await answer(name, context, status: .created)
    }

    private func change(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let farm = try await RequestRejection.namingFarms { try await store.farm(context.name) }
        let body = try BodyField(root: try await request.json(limit: configuration.bodyLimit) ?? .object([:]))
        try body.checkMembers(["add", "remove", "default"])
        do {
            _ = try await store.changeFarm(
                farm.name, adding: try Self.names(body, "add"), removing: try Self.names(body, "remove"),
                isDefault: try body.boolean("default"))
        } catch let error as NoSuchFarm {
            throw RequestRejection.badRequest(error.description)
        }
        return try await answer(farm.name, context)
    }

    private func remove(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let farm = try await RequestRejection.namingFarms { try await store.farm(context.name) }
        _ = try await store.removeFarm(farm.name)
        return try .json(Acknowledgement(message: "The farm \(farm.name) was removed. Its nodes stay."), status: .accepted)
    }

    /// Answers with the node for each platform: `?platforms=linux/amd64,linux/arm64`, and `&farm=NAME` or
    /// `&nodes=n1,n2`. Without platforms they are those that the nodes run themselves.
    private func schedule(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let items = try QueryItems(request.uri.query).items.filter { !$0.value.isEmpty }
        func list(_ key: String) -> [String]? {
            items.last { $0.key == key }?.value.split(separator: ",").map { $0.trimmingPrefix(" ") }.map(String.init)
        }
        let placement: Placement?
        switch (items.last { $0.key == "farm" }?.value, list("nodes")) {
        case (nil, nil): placement = nil
        case (let farm?, nil): placement = .farm(farm)
        case (nil, let nodes?): placement = .nodes(nodes)
        case (_?, _?): throw RequestRejection.badRequest("farm and nodes exclude each other.")
        }
        return try await RequestRejection.namingFarms {
            var platforms: [Platform] = []
            if let asked = list("platforms") {
                for text in asked {
                    platforms.append(try RequestRejection.translating { () throws(ImageProblem) in try Platform(text) })
                }
            } else {
                platforms = Array(Set(try await store.nodes(of: placement).filter { $0.isEnabled && $0.state == .ready }.flatMap(\.native)))
            }
            return try .json(ScheduleDocument(try await store.schedule(platforms.sorted(), on: placement)))
        }
    }

    private func answer(_ name: String, _ context: FrontendContext, status: HTTPResponse.Status = .ok) async throws -> Response {
        let farm = try await RequestRejection.namingFarms { try await store.farm(name) }
        let nodes = try await documents(for: context).filter { farm.nodes.contains($0.name) }
        return try .json(FarmDocument(farm, nodes: nodes), status: status)
    }

    private func documents(for context: FrontendContext) async throws -> [NodeDocument] {
        let showsAddress = configuration.access.managesNodes(context.subject.sender)
        return try await store.nodes().map { NodeDocument($0, showsAddress: showsAddress) }
    }

    private static func names(_ body: BodyField, _ key: String) throws(RequestRejection) -> [String] {
        let names = try body.strings(key) ?? []
        guard names.count <= mostNodes else { throw .badRequest("\(key) has \(names.count) names. \(mostNodes) are possible.") }
        return names
    }
}
