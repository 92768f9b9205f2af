import ComposeModel
import ComposeStore
import Hummingbird
import Identity

/// The page of the watches, and the form that ends one.
struct WatchPages: Sendable {
    private static let perPage = 30

    let pages: WebPages
    let store: ComposeStore
    let watches: WatchController

    var resources: [Resource] {
        [
            Resource("/watches", [.get: .page(list)]),
            Resource("/watches/{id}/end", [.post: .form(.deleteCompose, end)]),
        ]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let query = try WatchListQuery(request.uri.query, perPage: (Self.perPage, Self.perPage))
        let access = pages.configuration.access
        let found = try await store.watches(
            owner: query.owner, includingEnded: query.includesEnded,
            hiddenTargets: access.hiddenTargets(from: context.subject.sender).sorted(), page: query.page, perPage: query.perPage)
        let site = pages.site(request, context)
        // A grant that is refused means that the page has no button.
        let grant = try? access.grant(.deleteCompose, to: context.subject.sender)
        let page = WatchesPage(query, found.items, total: found.total, root: site.root) { watch in
            guard watch.endedAt == nil, let grant, grant.isAdmin || grant.owner == watch.owner else { return nil }
            return site.form("/watches/\(watch.id)/end")
        }
        return pages.response("watches", title: "Watches", page: page, request, context, site: site)
    }

    private func end(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        _ = try await watches.end(request, context, grant)
        return pages.redirect(to: "/watches?include_ended=1")
    }
}

/// The watches, with their latest composes.
struct WatchesPage: Sendable {
    struct Row: Sendable {
        let id: Int
        let ended: Bool
        let tag, packages, owner: String
        let problem: String?
        let latest: Int?
        let looked: ShownTime?
        let end: PageForm?
    }

    let owner: String
    let includesEnded, hasRows: Bool
    let caption: String
    let rows: [Row]
    let pager: Pager

    init(_ query: WatchListQuery, _ watches: [ComposeWatch], total: Int, root: String, end: (ComposeWatch) -> PageForm?) {
        owner = (query.owner ?? "").shown(200)
        includesEnded = query.includesEnded
        caption = "Watches, the newest first"
        rows = watches.map { watch in
            Row(
                id: watch.id, ended: watch.endedAt != nil, tag: watch.request.source.joined(separator: " ").shown(100),
                packages: watch.request.packages.isEmpty
                    ? "all" : watch.request.packages.prefix(20).joined(separator: " ").shown(100),
                owner: watch.owner.shown(100), problem: watch.problem?.shown(400), latest: watch.latestCompose,
                looked: watch.lookedAt.map(ShownTime.init), end: end(watch))
        }
        hasRows = !rows.isEmpty
        pager = Pager(
            page: query.page, perPage: query.perPage, total: total, noun: "watch", path: "\(root)/watches", asked: query.items)
    }
}
