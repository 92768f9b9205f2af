import ComposeStore
import Hummingbird
import ImageModel

/// The handlers of `/image`: build the image of a branch of a component, and find it.
struct ArtifactController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] { [Resource("/image", [.get: .open(show), .post: .needs(.buildImage, build)])] }

    private func building(_ request: Request, _ context: FrontendContext) throws(RequestRejection) -> ArtifactBuilding {
        context.subject.claims = ArtifactFields.claims(in: request.headers)
        return ArtifactBuilding(configuration: configuration, store: store, service: try configuration.imageService)
    }

    private func build(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let building = try building(request, context)
        try grant.admitImages()
        let fields = try await ArtifactFields(request, limit: configuration.bodyLimit)
        let artifact = try fields.artifact(.image)
        let build = try await building.build(
            artifact, from: .containerfile(try fields.text("dockerfile")), by: grant, request, context)
        let known = try await building.known(artifact)
        return try ArtifactDocument(
            build, done: known?.builds.done, in: building.repository(of: artifact), PublicURLs(configuration, request)
        ).response
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let building = try building(request, context)
        let artifact = try await ArtifactFields(request, limit: configuration.bodyLimit).artifact(.image)
        guard let known = try await building.known(artifact), let newest = known.builds.newest, newest.state != .removed else {
            return try ArtifactDocument(
                none: "There is no image of the branch \(artifact.version) of \(artifact.component) for \(artifact.environment)."
            ).response
        }
        return try ArtifactDocument(
            newest, done: known.builds.done, in: known.image.repository, PublicURLs(configuration, request)
        ).response
    }
}
