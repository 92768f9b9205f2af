import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity
import ImageModel

/// The pages of images, their builds and rebuilds, and the forms that cancel builds.
struct ImagePages: Sendable {
    private static let (perPage, mostBuilds) = (30, 10)

    let pages: WebPages
    let store: ComposeStore

    private var configuration: FrontendConfiguration { pages.configuration }

    var resources: [Resource] {
        [
            Resource("/images", [.get: .page(images)]),
            Resource("/images/{id}", [.get: .page(image)]),
            Resource("/builds", [.get: .page(builds)]),
            Resource("/builds/{id}", [.get: .page(build)]),
            Resource("/builds/{id}/log", [.get: .page(log)]),
            Resource("/builds/{id}/cancel", [.post: .form(.buildImage, cancelBuild)]),
            Resource("/rebuilds", [.get: .page(rebuilds)]),
            Resource("/rebuilds/{id}", [.get: .page(rebuild)]),
            Resource("/rebuilds/{id}/cancel", [.post: .form(.rebuild, cancelRebuild)]),
        ]
    }

    // MARK: Images

    private func images(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let service = try configuration.imageService
        let query = try ImageListQuery(request.uri.query, perPage: (Self.perPage, Self.perPage), namespace: service.namespace)
        let found = try await store.list(query.images)
        let summaries = try await store.summaries(of: found.items.map(\.id))
        let site = pages.site(request, context)
        let page = ImagesPage(
            found.items.map { ImageDocument($0, summaries[$0.id] ?? ImageSummary()) },
            Pager(
                page: query.images.page, perPage: query.images.perPage, total: found.total, noun: "image", path: "\(site.root)/images",
                asked: query.items))
        return pages.response("images", title: "Images", page: page, request, context, site: site)
    }

    private func image(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let image = try await store.image(of: context)
        let document = ImageDocument(image, try await store.summaries(of: [image.id])[image.id] ?? ImageSummary())
        var query = BuildQuery()
        query.images = [image.id]
        query.perPage = Self.mostBuilds
        let page = ImagePage(document, builds: try await store.list(query).items)
        return pages.response("image", title: "Image \(page.repository)", page: page, request, context)
    }

    // MARK: Builds

    private func builds(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let query = try BuildListQuery(request.uri.query, perPage: (Self.perPage, Self.perPage))
        let found = try await store.list(query.builds)
        let repositories = try await store.repositories(of: found.items.map(\.image))
        let site = pages.site(request, context)
        let page = BuildsPage(
            query.builds, found.items, repositories,
            Pager(
                page: query.builds.page, perPage: query.builds.perPage, total: found.total, noun: "build", path: "\(site.root)/builds",
                asked: query.items))
        return pages.response("builds", title: "Image builds", page: page, request, context, site: site)
    }

    private func build(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let (build, image) = try await found(context)
        let site = pages.site(request, context)
        var document = PublicURLs(configuration, request).document(build, image.repository)
        let reasons = try await store.waitingReasons(of: build)
        for index in document.steps.indices {
            document.steps[index].stateReason = document.steps[index].stateReason ?? reasons[document.steps[index].id]
        }
        var cancel: PageForm?
        if !build.state.isFinal, let grant = configuration.access.possibleGrant(.buildImage, to: context.subject.sender),
            grant.isAdmin || grant.owner == build.owner
        {
            cancel = site.form("/builds/\(build.id)/cancel")
        }
        let page = BuildPage(document, isFinal: build.state.isFinal, root: site.root, cancel: cancel)
        return pages.response("build", title: "Build \(build.id) \(page.state.word)", page: page, request, context, site: site)
    }

    private func log(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let (build, image) = try await found(context)
        let platforms = build.steps.compactMap(\.platform)
        let asked = try QueryItems(request.uri.query).items.last { $0.key == "platform" }?.value
        guard let platform = platforms.first(where: { $0.description == asked }) ?? (asked == nil ? platforms.first : nil),
            let target = configuration.targets.min(by: { $0.key < $1.key })?.value,
            let file = try await ServedEntry.open(BuildLayout(build: build.id).log(of: platform), in: target.path)
        else { throw RequestRejection(.notFound, "Build \(build.id) has no such log yet, or no longer.") }
        let site = pages.site(request, context)
        let document = PublicURLs(configuration, request).document(build, image.repository)
        let raw = document.steps.first { $0.platform == platform.description }?.log ?? ""
        let page = try await LogPage.read(
            file, request, subject: "\(platform) of build", number: build.id, link: "\(site.root)/builds/\(build.id)",
            path: "\(site.root)/builds/\(build.id)/log?platform=\(platform.description.percentEncoded)", raw: raw)
        return pages.response("log", title: "Log of build \(build.id)", page: page, request, context, site: site)
    }

    private func found(_ context: FrontendContext) async throws -> (Build, Image) {
        _ = try configuration.imageService
        let id = try context.buildID()
        guard let build = try await store.build(id) else { throw RequestRejection.noSuchBuild("\(id)") }
        guard let image = try await store.image(build.image) else { throw RequestRejection.noSuchImage("\(build.image)") }
        return (build, image)
    }

    private func cancelBuild(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await BuildController(configuration: configuration, store: store).cancel(request, context, grant)
        return pages.redirect(to: "/builds/\(try context.buildID())")
    }

    // MARK: Rebuilds

    private func rebuilds(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let items = try QueryItems(request.uri.query).items
        let number = try items.last { $0.key == "page" && !$0.value.isEmpty }.map { try QueryItems.number($0.value, $0.key, from: 1) } ?? 1
        let found = try await store.rebuilds(page: number, perPage: Self.perPage)
        let site = pages.site(request, context)
        let page = RebuildsPage(
            found.items.map { RebuildDocument($0, repositories: [:]) },
            Pager(
                page: number, perPage: Self.perPage, total: found.total, noun: "rebuild", path: "\(site.root)/rebuilds", asked: items))
        return pages.response("rebuilds", title: "Rebuilds", page: page, request, context, site: site)
    }

    private func rebuild(_ request: Request, _ context: FrontendContext) async throws -> Response {
        _ = try configuration.imageService
        let id = try context.rebuildID()
        guard let rebuild = try await store.rebuild(id) else { throw RequestRejection.noSuchRebuild("\(id)") }
        let document = RebuildDocument(rebuild, repositories: try await store.repositories(of: rebuild.rows.map(\.plan.image)))
        let site = pages.site(request, context)
        var cancel: PageForm?
        if !rebuild.state.isFinal, let grant = configuration.access.possibleGrant(.rebuild, to: context.subject.sender),
            grant.isAdmin || grant.owner == rebuild.owner
        {
            cancel = site.form("/rebuilds/\(id)/cancel")
        }
        let page = RebuildPage(document, isFinal: rebuild.state.isFinal, id: id, root: site.root, cancel: cancel)
        return pages.response("rebuild", title: "Rebuild \(id)", page: page, request, context, site: site)
    }

    private func cancelRebuild(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let controller = RebuildController(configuration: configuration, store: store, validator: configuration.validator)
        _ = try await controller.cancel(request, context, grant)
        return pages.redirect(to: "/rebuilds/\(try context.rebuildID())")
    }
}
