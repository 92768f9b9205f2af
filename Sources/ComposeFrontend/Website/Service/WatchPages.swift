import ComposeModel
import ComposeStore
import Hummingbird
import Identity

/// The pages of the watches and of one watch, and the form that ends one.
struct WatchPages: Sendable {
    private static let perPage = 30

    let pages: WebPages
    let store: ComposeStore
    let watches: WatchController

    var resources: [Resource] {
        [
            Resource("/watches", [.get: .page(list)]),
            Resource("/watches/{id}", [.get: .page(show)]),
            Resource("/watches/{id}/end", [.post: .form(.deleteCompose, end)]),
        ]
    }

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.watchID()
        let access = pages.configuration.access
        guard let watch = try await store.watch(id) else { throw RequestRejection.noSuchWatch("\(id)") }
        try access.checkReading(of: watch.request.targetDir, by: context.subject.sender)
        var query = ComposeQuery()
        query.watches = [id]
        query.perPage = Self.perPage
        let items = try QueryItems(request.uri.query).items
        if let number = items.last(where: { $0.key == "page" && !$0.value.isEmpty })?.value {
            query.page = try QueryItems.number(number, "page", from: 1)
        }
        query.hiddenTargets = access.hiddenTargets(from: context.subject.sender).sorted()
        let found = try await store.list(query)
        let site = pages.site(request, context)
        let pager = Pager(
            page: query.page, perPage: query.perPage, total: found.total, noun: "compose", path: "\(site.root)/watches/\(id)", asked: items)
        let page = WatchPage(watch, composes: found.items, pager, root: site.root, end: endForm(of: watch, site, context))
        return pages.response("watch", title: "Watch \(id)", page: page, request, context, site: site)
    }

    /// Returns the form that ends a watch. `nil` if the person may not end it, or if it has ended.
    private func endForm(of watch: ComposeWatch, _ site: Site, _ context: FrontendContext) -> PageForm? {
        guard watch.endedAt == nil, let grant = pages.configuration.access.possibleGrant(.deleteCompose, to: context.subject.sender),
            grant.isAdmin || grant.owner == watch.owner
        else { return nil }
        return site.form("/watches/\(watch.id)/end")
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let query = try WatchListQuery(request.uri.query, perPage: (Self.perPage, Self.perPage))
        let access = pages.configuration.access
        let found = try await store.watches(
            owner: query.owner, includingEnded: query.includesEnded,
            hiddenTargets: access.hiddenTargets(from: context.subject.sender).sorted(), page: query.page, perPage: query.perPage)
        let site = pages.site(request, context)
        let page = WatchesPage(query, found.items, total: found.total, root: site.root) { endForm(of: $0, site, context) }
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

/// The page of one watch: what is watched, the last look, and the composes that it has made.
struct WatchPage: Sendable {
    struct LastProblem: Sendable {
        let lines: [String]
    }

    private static let mostWords = 200

    let id: Int
    let lead: String
    let hasEnded: Bool
    let end: PageForm?
    let problem: LastProblem?
    let facts: [Fact]
    let composes: ComposeList?
    let pager: Pager?

    init(_ watch: ComposeWatch, composes: [Compose], _ pager: Pager, root: String, end: PageForm?) {
        let request = watch.request
        let tag = request.source.joined(separator: " ").shown(200)
        id = watch.id
        hasEnded = watch.endedAt != nil
        lead =
            hasEnded
            ? "It makes no composes any more. Those that it has made stay until they expire."
            : "It makes a new compose whenever the packages of the tag \(tag) change."
        self.end = end
        problem = watch.problem.map { LastProblem(lines: $0.split(separator: "\n").prefix(40).map { $0.shown(2000) }) }
        var facts = [Fact("Tag", tag), Fact("Owner", watch.owner.shown(200))]
        let words = request.packages.prefix(Self.mostWords).joined(separator: " ").shown(4000)
        let rest = request.packages.count - Self.mostWords
        facts.append(Fact("Packages", words.isEmpty ? "all of the tag" : rest > 0 ? "\(words) and \(rest) more" : words))
        facts += Fact.further(of: request, arches: request.arches, sigkeys: request.sigkeys)
        facts.append(Fact("Started", ShownTime(watch.createdAt)))
        if let time = watch.lookedAt { facts.append(Fact("Last look", ShownTime(time))) }
        if let event = watch.kojiEvent { facts.append(Fact("Known up to the Koji event", "\(event)")) }
        if let latest = watch.latestCompose { facts.append(Fact("Latest compose", "\(latest)", link: "\(root)/compose/\(latest)")) }
        if let time = watch.endedAt { facts.append(Fact("Ended", ShownTime(time))) }
        self.facts = facts
        self.composes = ComposeList("The newest first", composes.map { .init($0) })
        self.pager = composes.isEmpty ? nil : pager
    }
}
