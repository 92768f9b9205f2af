import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird
import Identity
import ImageModel

/// The handlers of `/api/1/builds`, and of the builds of one image: list, show, ask for and cancel
/// builds, and read their logs.
struct BuildController: Sendable {
    static let path = "/api/1/builds/"

    let configuration: FrontendConfiguration
    let store: ComposeStore
    /// Wakes the requests that wait. Without it, none waits.
    var feed: EventFeed?

    var resources: [Resource] {
        [
            Resource("/api/1/images/{id}/builds", [.post: .needs(.buildImage, create)]),
            Resource("/api/1/builds", [.get: .open(list)]),
            Resource("/api/1/builds/{id}", [.get: .open(show), .delete: .needs(.buildImage, cancel)]),
            Resource("/api/1/builds/{id}/log", [.get: .open(log)]),
        ]
    }

    private func create(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try configuration.imageService
        var image = try await store.image(of: context)
        try grant.admit(image.repository)
        guard image.timeRemoved == nil else {
            throw RequestRejection(.notFound, "Image \(image.id) was removed. Add \(image.repository) again to build it.")
        }
        let json = try await request.json(limit: configuration.bodyLimit)
        var built = BuiltImage.known(image.id)
        // The build gets this definition, even if the image gets another one meanwhile.
        if let json, let definition = try await definition(in: json, of: image, service) {
            image.definition = definition
            built = .defined(image.repository, definition, by: Actor(grant))
        }
        let reader = BuildRequestReader(image: image, service: service, store: store, access: configuration.access, grant: grant)
        let values = try await reader.values(json)
        let build = try await store.submitBuild(
            of: built, values.request, owner: grant.owner, dateTag: values.dateTag, composes: values.composes,
            limits: grant.limits, unless: try IdempotencyKey(request.headers)?.text)
        context.subject.buildID = build.id
        return try .json(PublicURLs(configuration, request).document(build, image.repository))
    }

    /// Returns the new definition of the image that a request for a build has.
    private func definition(in json: JSONValue, of image: Image, _ service: ImageService) async throws -> ImageDefinition? {
        let body = try BodyField(root: json)
        guard body.member("definition") != nil else { return nil }
        if let artifact = image.definition.artifact {
            throw RequestRejection.badRequest(
                "Image \(image.id) is the \(artifact.kind.rawValue) \(artifact.component). Change it with POST /\(artifact.kind.rawValue).")
        }
        // A build that changes nothing of the definition has its Containerfile checked later.
        let changes = body.member("arguments") != nil || body.member("platforms") != nil
        return try await DefinitionReader(service: service, places: configuration.admission.places, validator: configuration.validator)
            .definition(body, checksContainerfile: changes)
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let query = try BuildListQuery(request.uri.query, perPage: configuration.perPage)
        let page = try await store.list(query.builds)
        let repositories = try await store.repositories(of: page.items.map(\.image))
        let urls = PublicURLs(configuration, request)
        let documents = page.items.compactMap { build in repositories[build.image].map { urls.document(build, $0) } }
        let document = ListDocument(
            documents, page: query.builds.page, perPage: query.builds.perPage, total: page.total, asked: query.items,
            url: urls.base + Self.path)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        try await waitIfAsked(request, context)
        let build = try await build(of: context)
        guard let image = try await store.image(build.image) else { throw RequestRejection.noSuchImage("\(build.image)") }
        var document = PublicURLs(configuration, request).document(build, image.repository)
        let reasons = try await store.waitingReasons(of: build)
        for index in document.steps.indices {
            document.steps[index].stateReason = document.steps[index].stateReason ?? reasons[document.steps[index].id]
        }
        return try .json(document)
    }

    /// Waits until the build has ended, if the query asks for it with `wait=30`. Returns when the time is
    /// over as well.
    private func waitIfAsked(_ request: Request, _ context: FrontendContext) async throws {
        let items = try QueryItems(request.uri.query).items
        guard let feed, let text = items.last(where: { $0.key == "wait" && !$0.value.isEmpty })?.value else { return }
        let seconds = min(try QueryItems.number(text, "wait", from: 0), EventQuery.longestWait)
        let id = try context.buildID()
        try await feed.wait(for: .build(id), as: configuration.callers.name(of: request, context), atMost: .seconds(seconds)) {
            try await build(of: context).state.isFinal
        }
    }

    private func build(of context: FrontendContext) async throws -> Build {
        let id = try context.buildID()
        guard let build = try await store.build(id) else { throw RequestRejection.noSuchBuild("\(id)") }
        return build
    }

    func cancel(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.buildID()
        if grant.identity.repositories != nil, let build = try await store.build(id), let image = try await store.image(build.image) {
            try grant.admit(image.repository)
        }
        switch try await store.cancelBuild(id, by: Actor(grant)) {
        case nil: throw RequestRejection.noSuchBuild("\(id)")
        case .canceled: return try .json(Acknowledgement(message: "Build \(id) has been canceled."), status: .accepted)
        case .notAllowed(let reason): throw RequestRejection(.forbidden, .owner, "Not allowed: \(reason).")
        case .notPossible(let state):
            throw RequestRejection.badRequest(
                "Build \(id) is in state \(state.name) already. One that waits or is being built can be canceled.")
        }
    }

    /// Answers with the log of a platform, which grows while a worker builds.
    private func log(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let build = try await build(of: context)
        let platforms = build.steps.compactMap(\.platform)
        let asked = try QueryItems(request.uri.query).items.last { $0.key == "platform" && !$0.value.isEmpty }?.value
        guard let platform = try platform(asked, of: platforms) else {
            throw RequestRejection.badRequest(
                "platform is missing. Build \(build.id) has a log for each of \(platforms.map(\.description).joined(separator: ", ")).")
        }
        guard platforms.contains(platform) else {
            throw RequestRejection(
                .notFound,
                "Build \(build.id) has nothing for \(platform). It has \(platforms.map(\.description).joined(separator: ", ")).")
        }
        guard let target = configuration.targets.min(by: { $0.key < $1.key })?.value,
            let file = try await ServedEntry.open(BuildLayout(build: build.id).log(of: platform), in: target.path)
        else { throw RequestRejection(.notFound, "Build \(build.id) has no log for \(platform) yet, or no longer.") }
        return file.response(to: request, mediaType: "text/plain")
    }

    /// Returns the platform that the query names. A build of one platform needs none.
    private func platform(_ text: String?, of platforms: [Platform]) throws(RequestRejection) -> Platform? {
        guard let text else { return platforms.count == 1 ? platforms[0] : nil }
        do throws(ImageProblem) {
            return try Platform(text)
        } catch {
            throw .badRequest("platform: \(error.description)")
        }
    }
}

extension PublicURLs {
    /// Returns the document of a build.
    func document(_ build: Build, _ repository: ImageRepository) -> BuildDocument {
        BuildDocument(build, repository: repository) { platform in
            "\(base)\(BuildController.path)\(build.id)/log?platform=\(platform.description.percentEncoded)"
        }
    }
}
