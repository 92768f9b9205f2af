import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import HTTPTypes
import ImageModel

/// A build request reader turns the body of a request for a build into its values. The rest comes from
/// the image's definition.
struct BuildRequestReader: Sendable {
    private static let members = [
        "definition", "platforms", "arguments", "composes", "priority", "date_tag", "moves_latest", "farm", "nodes",
    ]
    private static let mostComposes = 20

    let image: Image
    let service: ImageService
    let store: ComposeStore
    let access: AccessControl
    let grant: Grant

    /// The values of a new build.
    struct Values: Sendable {
        var request: BuildRequest
        var dateTag: ImageTag
        var composes: [Int]
    }

    /// - Parameter json: Nil for a request without a body.
    func values(_ json: JSONValue?, on day: Date = Date()) async throws -> Values {
        let body = try BodyField(root: json ?? .object([:]))
        try body.checkMembers(Self.members)
        var definition = image.definition
        if let platforms = try body.platforms("platforms") {
            definition.platforms = try part(platforms)
            definition.requiredPlatforms = definition.requiredPlatforms?.filter(platforms.contains)
        }
        if let arguments = try body.buildArguments("arguments") { definition.arguments.merge(arguments) { $1 } }
        if let movesLatest = try body.boolean("moves_latest") { definition.movesLatest = movesLatest }
        let priority = try body.buildPriority(for: grant)
        let dateTag = try body.dateTag(on: day)
        let composes = try body.integers("composes") ?? []
        guard composes.count <= Self.mostComposes else {
            throw RequestRejection.badRequest("composes has \(composes.count) entries. \(Self.mostComposes) are possible.")
        }
        for compose in composes { try await check(compose) }
        // The rules of the server, and the values of arguments, may have changed since the image was added.
        try await ContainerfileCheck(service: service).check(definition)
        let placement = try body.placement()
        if let placement { try await store.checkAsked(placement) }
        return Values(
            request: BuildRequest(definition, priority: priority, placement: placement), dateTag: dateTag, composes: composes)
    }

    private func part(_ platforms: [Platform]) throws(RequestRejection) -> [Platform] {
        guard let other = platforms.first(where: { !image.definition.platforms.contains($0) }) else { return platforms }
        let known = image.definition.platforms.map(\.description).joined(separator: ", ")
        throw .badRequest("platforms has \(other), which the definition of the image does not have. It has \(known).")
    }

    /// Throws if a build cannot install the packages of a compose.
    private func check(_ id: Int) async throws {
        guard let compose = try await store.compose(id) else { throw RequestRejection.badRequest("composes: there is no compose \(id).") }
        try access.checkReading(of: compose.request.targetDir, by: grant.identity)
        guard compose.state == .done else {
            throw RequestRejection.badRequest("composes: compose \(id) is in state \(compose.state.name). It must be done.")
        }
        guard compose.request.sourceType.traits.hasRepository else {
            throw RequestRejection.badRequest("composes: compose \(id) has no repository that a build could use.")
        }
        guard compose.request.delivery == .link else {
            throw RequestRejection.badRequest(
                "composes: compose \(id) only refers to its packages, and a build reads them from the compose. Make it without delivery.")
        }
    }
}
