import ComposeStore
import Foundation
import HTTPTypes
import Hummingbird
import ImageModel

/// Artifact building asks for builds of artifacts. They are ordinary builds of images.
struct ArtifactBuilding: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore
    let service: ImageService

    /// An artifact that was built before, or is being built.
    struct Known {
        let image: Image
        let builds: ArtifactBuilds
    }

    func repository(of artifact: Artifact) throws(RequestRejection) -> ImageRepository {
        do throws(ImageProblem) {
            return try service.artifacts.repository(of: artifact)
        } catch {
            throw .badRequest(error.description)
        }
    }

    /// Returns the builds of an artifact, or `nil` if it was never built.
    func known(_ artifact: Artifact) async throws -> Known? {
        guard let image = try await store.image(named: repository(of: artifact), artifact: artifact),
            image.definition.artifact == artifact
        else { return nil }
        return Known(image: image, builds: try await store.newestBuilds(of: image.id))
    }

    /// Asks for a build. An equal build that has not ended yet is returned instead.
    ///
    /// - Parameter place: The name of the Containerfile in messages.
    func build(
        _ artifact: Artifact, from source: ImageDefinition.Source, in place: String = "dockerfile", by grant: Grant,
        _ request: Request, _ context: FrontendContext
    ) async throws -> Build {
        let definition = definition(of: artifact, from: source)
        let image = try await image(artifact, definition, in: place, grant)
        let day = try ImageTag(Date().formatted(.iso8601.year().month().day().dateSeparator(.omitted)))
        let build = try await store.submitBuild(
            of: image, BuildRequest(definition), owner: grant.owner, dateTag: day, limits: grant.limits, joining: true,
            unless: try IdempotencyKey(request.headers)?.text)
        context.subject.imageID = build.image
        context.subject.buildID = build.id
        context.subject.hasWritten = true
        return build
    }

    /// Checks that a build would be taken at this moment. Nothing is stored.
    func check(_ artifact: Artifact, from source: ImageDefinition.Source, by grant: Grant, _ request: Request) async throws {
        let definition = definition(of: artifact, from: source)
        try await store.checkBuild(
            of: try await image(artifact, definition, in: "dockerfile", grant), BuildRequest(definition), owner: grant.owner,
            limits: grant.limits, joining: true, unless: try IdempotencyKey(request.headers)?.text)
    }

    private func definition(of artifact: Artifact, from source: ImageDefinition.Source) -> ImageDefinition {
        var definition = ImageDefinition(source: source, platforms: [service.artifacts.platform])
        definition.artifact = artifact
        // The images of several operating systems would take turns at the tag latest.
        definition.movesLatest = false
        definition.tags = [artifact.movingTag]
        return definition
    }

    /// Returns the image of an artifact for a build. Another account may build what is defined already, and
    /// only the owner can change the definition.
    ///
    /// - Parameter place: The name of the Containerfile in messages.
    private func image(
        _ artifact: Artifact, _ definition: ImageDefinition, in place: String, _ grant: Grant
    ) async throws -> BuiltImage {
        let repository = try repository(of: artifact)
        try grant.admit(repository)
        try await ContainerfileCheck(service: service).check(definition, in: place)
        if let known = try await store.image(named: repository, artifact: artifact) {
            guard let other = known.definition.artifact, other == artifact else {
                let name = known.definition.artifact.map { "\($0.version) of \($0.component)" } ?? "another image"
                throw RequestRejection(
                    .conflict,
                    "\(repository) belongs to \(name). Both have the same name in the registry, where capital letters do not count.")
            }
            if known.definition == definition { return .known(known.id) }
        }
        return .defined(repository, definition, by: Actor(grant))
    }
}
