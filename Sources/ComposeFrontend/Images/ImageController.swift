import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import ImageModel

/// The handlers of `/api/1/images`: list, show, add, change and remove images.
struct ImageController: Sendable {
    static let path = "/api/1/images/"
    /// The number of images with unknown contents that the list of affected images names.
    private static let mostUnknown = 100

    let configuration: FrontendConfiguration
    let store: ComposeStore

    var resources: [Resource] {
        [
            Resource("/api/1/images", [.get: .open(list), .post: .needs(.buildImage, add)]),
            Resource("/api/1/images/{id}", [.get: .open(show), .patch: .needs(.buildImage, change), .delete: .needs(.buildImage, remove)]),
        ]
    }

    // MARK: Lists

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let service = try configuration.imageService
        let query = try ImageListQuery(request.uri.query, perPage: configuration.perPage, namespace: service.namespace)
        let url = PublicURLs(configuration, request).base + Self.path
        if let packages = query.packages { return try await affected(packages, query, url: url) }
        let page = try await store.list(query.images)
        let summaries = try await store.summaries(of: page.items.map(\.id))
        let document = ListDocument(
            page.items.map { ImageDocument($0, summaries[$0.id] ?? ImageSummary()) }, page: query.images.page,
            perPage: query.images.perPage, total: page.total, asked: query.items, url: url)
        return try .json { json in try document.write(to: &json) { $0.value(try JSONEncoder.answer($1)) } }
    }

    /// Answers with the images that have a package, and names those that may have it.
    private func affected(_ packages: PackageQuery, _ query: ImageListQuery, url: String) async throws -> Response {
        let page = try await store.list(packages)
        let unknown = try await store.unknownContents(limit: Self.mostUnknown)
        let document = ListDocument(
            page.items.map(AffectedDocument.init), page: packages.page, perPage: packages.perPage, total: page.total, asked: query.items,
            url: url)
        return try .json { json in
            try document.write(to: &json) {
                $0.value(try JSONEncoder.answer($1))
            } more: {
                $0.name("unknown")
                $0.value(try JSONEncoder.answer(UnknownImages(total: unknown.total, items: unknown.items.map(UnknownDocument.init))))
            }
        }
    }

    // MARK: One image

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        return try .json(try await document(try await store.image(of: context)))
    }

    private func document(_ image: Image) async throws -> ImageDocument {
        ImageDocument(image, try await store.summaries(of: [image.id])[image.id] ?? ImageSummary())
    }

    /// Adds an image. An owner that adds a known image gives it the new definition, so a repeated request
    /// needs no key.
    private func add(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try configuration.imageService
        guard let json = try await request.json(limit: configuration.bodyLimit) else {
            throw RequestRejection.badRequest(
                "The body is empty. It must be a JSON object such as "
                    + "{\"repository\": \"team/web\", \"definition\": {\"source\": {…}, \"platforms\": [\"linux/amd64\"]}}.")
        }
        let body = try BodyField(root: json)
        try body.checkMembers(["repository", "definition"])
        let repository = try repository(body, service)
        try grant.admit(repository)
        let definition = try await reader(service).definition(body)
        switch try await store.addImage(repository, as: definition, by: Actor(grant)) {
        case .added(let image), .changed(let image):
            context.subject.imageID = image.id
            return try .json(try await document(image))
        case .notAllowed(let reason):
            throw RequestRejection(.forbidden, .owner, "Not allowed: \(reason).")
        }
    }

    private func repository(_ body: BodyField, _ service: ImageService) throws(RequestRejection) -> ImageRepository {
        guard let name = try body.string("repository") else {
            throw .badRequest("repository is missing. It must be the name of an image, such as team/web.")
        }
        let (repository, contexts): (ImageRepository, ImageRepository)
        do throws(ImageProblem) {
            repository = try service.namespace.repository(name)
            contexts = try service.namespace.contexts
        } catch {
            throw .badRequest("repository: \(error.description)")
        }
        guard service.allows(repository.host) else {
            throw .badRequest(
                "repository is of the registry \(repository.host), which is not allowed. The setting images.allowed_registries allows "
                    + "others than \(service.namespace.host).")
        }
        guard repository != contexts else { throw .badRequest("repository is the place of uploaded contexts. Use another name.") }
        return repository
    }

    private func reader(_ service: ImageService) -> DefinitionReader {
        DefinitionReader(service: service, places: configuration.admission.places, validator: configuration.validator)
    }

    /// Changes members of an image's definition. Others stay as they are.
    private func change(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let service = try configuration.imageService
        let image = try await store.image(of: context)
        try grant.admit(image.repository)
        try checkOwner(of: image, grant)
        if let artifact = image.definition.artifact {
            throw RequestRejection.badRequest(
                "Image \(image.id) is the \(artifact.kind.rawValue) \(artifact.component). Change it with POST /\(artifact.kind.rawValue).")
        }
        guard let json = try await request.json(limit: configuration.bodyLimit) else {
            throw RequestRejection.badRequest("The body is empty. It must be a JSON object such as {\"definition\": {\"update\": true}}.")
        }
        let body = try BodyField(root: json)
        try body.checkMembers(["definition"])
        let definition = try await reader(service).definition(body, changing: image.definition)
        guard let changed = try await store.changeImage(image.id, from: image.definition, to: definition) else {
            throw RequestRejection(.conflict, "Image \(image.id) was changed or removed at this moment. Look at it, and try again.")
        }
        return try .json(try await document(changed))
    }

    /// Removes an image. One that was removed before stays as it is.
    private func remove(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.imageID()
        guard let image = try await store.image(id) else { throw RequestRejection.noSuchImage("\(id)") }
        try grant.admit(image.repository)
        if image.timeRemoved == nil {
            try checkOwner(of: image, grant)
            _ = try await store.removeImage(id, by: Actor(grant))
        }
        guard let removed = try await store.image(id) else { throw RequestRejection.noSuchImage("\(id)") }
        return try .json(try await document(removed))
    }

    private func checkOwner(of image: Image, _ grant: Grant) throws(RequestRejection) {
        guard grant.isAdmin || grant.owner == image.owner else {
            throw RequestRejection(
                .forbidden, .owner, "Not allowed: only \(image.owner), the owner of image \(image.id), or an admin can change it.")
        }
    }
}

extension ComposeStore {
    /// Returns the image that the path names.
    ///
    /// - Throws: ``RequestRejection`` with status 404 if it does not exist.
    func image(of context: FrontendContext) async throws -> Image {
        let id = try context.imageID()
        guard let image = try await image(id) else { throw RequestRejection.noSuchImage("\(id)") }
        return image
    }
}

extension ImageDocument {
    init(_ image: Image, _ summary: ImageSummary) {
        let manifests = summary.manifests.map { manifest in
            let (contents, problem): (String, String?) =
                switch manifest.contents {
                case .read: ("read", nil)
                case .none: ("none", nil)
                case .unread: ("unread", nil)
                case .unknown(let problem): ("unknown", problem)
                }
            return Manifest(platform: manifest.platform, digest: manifest.digest, contents: contents, problem: problem)
        }
        self.init(
            image, manifests: manifests, tags: summary.tags,
            latestBuild: summary.latestBuild.map { BuildSummary(id: $0.id, state: $0.state) })
    }
}

extension AffectedDocument {
    fileprivate init(_ item: PackagePage.Item) {
        self.init(
            image: item.image, repository: item.repository, owner: item.owner,
            manifests: item.manifests.map { Manifest(platform: $0.platform, digest: $0.digest, packages: $0.packages) })
    }
}

extension UnknownDocument {
    fileprivate init(_ item: UnknownPage.Item) {
        self.init(
            image: item.image, repository: item.repository, platform: item.platform, digest: item.digest, problem: item.problem)
    }
}
