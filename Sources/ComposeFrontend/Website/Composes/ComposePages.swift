import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird
import Identity
import NIOPosix

/// The pages of one compose: what it is, its packages and its log, and the forms that change it.
struct ComposePages: Sendable {
    private static let (fewPackages, mostPackages) = (25, 100)
    private static let mostEarlier = 5

    let pages: WebPages
    let store: ComposeStore
    let composes: ComposeController

    private var configuration: FrontendConfiguration { pages.configuration }

    var resources: [Resource] {
        [
            Resource("/compose/{id}", [.get: .page(show)]),
            Resource("/compose/{id}/packages", [.get: .page(packages)]),
            Resource("/compose/{id}/log", [.get: .page(log)]),
            Resource("/compose/{id}/renew", [.post: .form(.renewCompose, renew)]),
            Resource("/compose/{id}/delete", [.post: .form(.deleteCompose, delete)]),
        ]
    }

    // MARK: The compose

    private func show(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        // The stream continues behind these events. It must not miss one that comes while the page is made.
        let bounds = try await store.eventBounds()
        let compose = try await composes.compose(id, for: context.subject.sender)
        let site = pages.site(request, context)
        let urls = PublicURLs(configuration, request)
        let document = urls.document(compose)
        var queue: QueueDocument?
        if compose.state == .wait, let found = try await composes.positions.position(of: id) {
            queue = QueueDocument(
                ahead: found.position.ahead, reason: found.position.reason, estimateSeconds: found.position.estimateSeconds)
        }
        var page = ComposeDetailPage(compose, document, queue: queue, root: site.root)
        page.set(actions(on: compose, site, context))
        let files = files(of: compose, document, site)
        if compose.state == .done, compose.request.sourceType.traits.hasRepository {
            page.use = .init(document, packages: compose.request.packages, files: files)
        }
        try await addPackages(to: &page, of: compose, site)
        if let file = try await logFile(of: compose) {
            page.log = try await .read(file, whole: "\(site.root)/compose/\(id)/log", raw: "\(files)/\(ComposeLayout.log)")
        }
        if !compose.state.isFinal {
            page.events = events(
                of: compose, site, ComposeStreamCursor(position: bounds.last, log: compose.resultOf, offset: page.log?.end ?? 0))
        }
        page.earlier = try await earlier(than: compose, site, context)
        return pages.response("compose", title: "Compose \(id) \(page.state.word)", page: page, request, context, site: site)
    }

    private func addPackages(to page: inout ComposeDetailPage, of compose: Compose, _ site: Site) async throws {
        guard compose.state == .done else { return }
        guard let list = try await lockFile(of: compose) else {
            page.packagesNote = "There is no list of packages for a compose of the type \(compose.request.sourceType.name)."
            return
        }
        let first = try await NIOThreadPool.singleton.runIfActive { try list.page(from: nil, most: Self.fewPackages) }
        let caption = first.next == nil ? "All packages" : "The first \(first.packages.count) packages"
        page.packages = PackageTable(caption, of: compose.id, first, root: site.root)
        if let head = list.head { page.problems = FindingTable.tables(head) }
        page.hasProblems = !page.problems.isEmpty
    }

    /// Returns the forms that the person may send.
    private func actions(on compose: Compose, _ site: Site, _ context: FrontendContext) -> ComposeDetailPage.Actions {
        var actions = ComposeDetailPage.Actions()
        let access = configuration.access
        let sender = context.subject.sender
        let canRenew = compose.state.isFinal
        if canRenew, let grant = access.possibleGrant(.renewCompose, to: sender), grant.admits(compose.request) {
            actions.renew = site.form("/compose/\(compose.id)/renew")
        }
        if compose.state != .removed, let grant = access.possibleGrant(.deleteCompose, to: sender),
            grant.isAdmin || grant.owner == compose.owner
        {
            let form = site.form("/compose/\(compose.id)/delete")
            if compose.state.isFinal { actions.remove = form } else { actions.cancel = form }
        }
        if access.possibleGrant(.createCompose, to: sender) != nil { actions.again = "\(site.root)/compose/\(compose.id)/again" }
        if sender == nil { actions.login = site.login }
        return actions
    }

    private func earlier(than compose: Compose, _ site: Site, _ context: FrontendContext) async throws -> ComposeList? {
        guard !compose.source.isEmpty else { return nil }
        var query = ComposeQuery()
        query.sources = [compose.source]
        query.sourceTypes = [compose.request.sourceType]
        query.perPage = Self.mostEarlier + 1
        query.hiddenTargets = configuration.access.hiddenTargets(from: context.subject.sender).sorted()
        let others = try await store.list(query).items.filter { $0.id != compose.id }.prefix(Self.mostEarlier)
        return ComposeList(
            "The newest other composes of the same source",
            others.map { other in
                let pair = [other.id, compose.id].sorted()
                let canCompare = other.state == .done && compose.state == .done
                return .init(other, difference: canCompare ? "\(site.root)/diff?from=\(pair[0])&to=\(pair[1])" : nil)
            })
    }

    // MARK: Packages

    private func packages(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        let compose = try await composes.compose(id, for: context.subject.sender)
        var (name, tree, after) = ("", "", Int?.none)
        for (key, value) in try QueryItems(request.uri.query).items where !value.isEmpty {
            switch key {
            case "q": name = String(value.prefix(100))
            case "arch": tree = String(value.prefix(30))
            case "after": after = try QueryItems.number(value, key, from: 0)
            default: break
            }
        }
        guard let list = try await lockFile(of: compose) else {
            throw RequestRejection(
                .notFound, "Compose \(id) has no list of packages. It is \(compose.state.name), or of a type that has none.")
        }
        let site = pages.site(request, context)
        let found = try await NIOThreadPool.singleton.runIfActive { [name, tree, after] in
            try list.page(from: after, most: Self.mostPackages, name: name, tree: tree)
        }
        let query = (name.isEmpty ? "" : "q=\(name.percentEncoded)&") + (tree.isEmpty ? "" : "arch=\(tree.percentEncoded)&")
        let table = PackageTable(
            query.isEmpty ? "Packages" : "Packages that match", of: id, found, root: site.root, query: query)
        let page = PackagesPage(
            id: id, q: name, arch: tree, table: table,
            first: after == nil ? nil : "\(site.root)/compose/\(id)/packages?\(query)")
        return pages.response("packages", title: "Packages of compose \(id)", page: page, request, context, site: site)
    }

    /// Returns the list of packages of a compose. Returns `nil` if it has none, or not any more.
    private func lockFile(of compose: Compose) async throws -> LockFilePages? {
        let path = "\(ComposeLayout(id: compose.resultOf).directory)/\(ComposeLayout.lockFile)"
        guard compose.state == .done, let root = configuration.targets[compose.request.targetDir]?.path,
            let file = try await ServedEntry.open(path, in: root)
        else { return nil }
        return try await NIOThreadPool.singleton.runIfActive { try LockFilePages(file) }
    }

    // MARK: The log

    private func log(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let id = try context.composeID()
        let bounds = try await store.eventBounds()
        let compose = try await composes.compose(id, for: context.subject.sender)
        guard let file = try await logFile(of: compose) else {
            throw RequestRejection(.notFound, "Compose \(id) has no log yet, or no longer.")
        }
        let site = pages.site(request, context)
        let raw = "\(files(of: compose, PublicURLs(configuration, request).document(compose), site))/\(ComposeLayout.log)"
        var page = try await LogPage.read(
            file, request, subject: "compose", number: id, link: "\(site.root)/compose/\(id)", path: "\(site.root)/compose/\(id)/log",
            raw: raw)
        if !compose.state.isFinal, let offset = page.shownEnd {
            page.events = events(of: compose, site, ComposeStreamCursor(position: bounds.last, log: compose.resultOf, offset: offset))
        }
        return pages.response("log", title: "Log of compose \(id)", page: page, request, context, site: site)
    }

    /// Returns the address of the stream that continues behind what a page shows.
    private func events(of compose: Compose, _ site: Site, _ cursor: ComposeStreamCursor) -> String {
        "\(site.root)/compose/\(compose.id)/events?after=\(cursor)"
    }

    /// Returns the address of the files of a compose, without a slash at its end. Those of a private target
    /// directory are shown to people at an address that reads their sessions.
    private func files(of compose: Compose, _ document: ComposeDocument, _ site: Site) -> String {
        configuration.access.privateTargets[compose.request.targetDir] == nil
            ? document.toplevelURL : "\(site.root)/compose/\(compose.id)/files"
    }

    private func logFile(of compose: Compose) async throws -> ServedFile? {
        let names = [ComposeLayout(id: compose.resultOf).directory, ComposeLayout.log]
        guard let root = configuration.targets[compose.request.targetDir]?.path,
            case .file(let file)? = try await ServedEntry.open(names, below: root)
        else { return nil }
        return file
    }

    // MARK: Forms

    private func renew(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let id = try context.composeID()
        let renewal = try composes.validator.renewal(RenewalBody(.object([:])))
        _ = try await composes.renew(id, renewal, by: grant, request, context)
        // A compose that is made again has a number of its own.
        return pages.redirect(to: "/compose/\(context.subject.composeID ?? id)")
    }

    private func delete(_ request: Request, _ form: SentForm, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let id = try context.composeID()
        _ = try await composes.delete(request, context, grant)
        return pages.redirect(to: "/compose/\(id)")
    }
}

/// The page with the packages of a compose, or with those that a search finds.
struct PackagesPage: Sendable {
    let id: Int
    let q: String
    let arch: String
    let caption: String
    let rows: [PackageTable.Row]
    let hasRows: Bool
    let first: String?
    let next: String?
    let note: String?

    init(id: Int, q: String, arch: String, table: PackageTable, first: String?) {
        self.id = id
        self.q = q
        self.arch = arch
        caption = table.caption
        rows = table.rows
        hasRows = !rows.isEmpty
        self.first = first
        next = table.next
        note = nil
    }
}

extension Grant {
    /// Whether a rule allows all of a request.
    fileprivate func admits(_ request: ComposeRequest) -> Bool {
        var request = request
        do throws(RequestRejection) {
            try admit(&request)
            return true
        } catch {
            return false
        }
    }
}
