import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird

/// The first page, and the page of the queue.
struct HomePages: Sendable {
    private static let (mostOpen, mostNewest, mostQueued, mostPositions) = (20, 15, 50, 10)

    let pages: WebPages
    let store: ComposeStore
    let positions: QueuePositions

    private var configuration: FrontendConfiguration { pages.configuration }

    var resources: [Resource] {
        [
            Resource("/", [.get: .page(home)]), Resource("/queue", [.get: .page(queue)]),
            Resource("/static/{name}", [.get: .unguarded(asset)]),
        ]
    }

    private func home(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let numbers = try await store.statistics()
        let newest = try await composes(context, states: [], most: Self.mostNewest)
        let open = try await composes(context, states: [.generating, .wait], most: Self.mostOpen)
        let page = HomePage(
            numbers, open: open.items, newest: newest.items, base: PublicURLs(configuration, request).base)
        return pages.response("home", title: "Composes on demand", page: page, request, context)
    }

    private func queue(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let owner = try QueryItems(request.uri.query).items.last { $0.key == "owner" }?.value ?? ""
        let underWay = try await composes(context, states: [.generating], owner: owner, most: Self.mostQueued)
        let waiting = try await composes(context, states: [.wait], owner: owner, most: Self.mostQueued, isOldestFirst: true)
        var rows: [ComposeList.Row] = []
        for (index, compose) in waiting.items.enumerated() {
            // A position costs a look at the queue, so the first ones have it.
            let reason = index < Self.mostPositions ? try await positions.position(of: compose.id)?.position.reason : nil
            rows.append(.init(compose, note: (reason ?? compose.stateReason).map { $0.prefix { $0 != "\n" }.shown(200) }))
        }
        let page = QueuePage(
            owner: owner, underWay: ComposeList("Composes in progress", underWay.items.map { .init($0) }),
            waiting: ComposeList("Waiting composes, the oldest first", rows), total: waiting.total,
            shares: try await store.ownerShares(most: 50), workers: try await store.workers())
        return pages.response("queue", title: "Queue", page: page, request, context)
    }

    private func composes(
        _ context: FrontendContext, states: [ComposeState], owner: String = "", most: Int, isOldestFirst: Bool = false
    ) async throws -> (items: [Compose], total: Int) {
        var query = ComposeQuery()
        query.states = states
        if !owner.isEmpty { query.owners = [owner] }
        query.perPage = most
        if isOldestFirst { query.order = [.init(field: .id)] }
        query.hiddenTargets = configuration.access.hiddenTargets(from: context.subject.sender).sorted()
        let page = try await store.list(query)
        return (page.items, page.total)
    }

    private func asset(_ request: Request, _ context: FrontendContext) async throws -> Response {
        guard let asset = PageAssets.all.asset(named: context.parameters.get("name") ?? "") else {
            throw RequestRejection(.notFound, "There is no file \(request.uri.path.quoted). Load the page again.")
        }
        return asset.response
    }
}

/// The first page: how to ask, what goes on, and the newest composes.
struct HomePage: Sendable {
    let underWay, waiting, workers, ready: Int
    let workersWord: String
    let noWorker: Bool
    let command, curl: String
    let open, newest: ComposeList?

    init(_ numbers: QueueStatistics, open: [Compose], newest: [Compose], base: String) {
        func count(_ state: ComposeState) -> Int { numbers.counts.filter { $0.state == state }.reduce(0) { $0 + $1.composes } }
        underWay = count(.generating)
        waiting = count(.wait)
        ready = count(.done)
        workers = numbers.workersAlive
        workersWord = workers == 1 ? "worker" : "workers"
        noWorker = workers == 0
        command = "odcs --server \(base) submit repo https://example.com/repo/ ed"
        curl = """
            curl -X POST \(base)/api/1/composes/ -d '{
                "source": {"type": "repo", "source": "https://example.com/repo/", "packages": ["ed"]}
            }'
            """
        self.open = ComposeList("The newest first", open.map { .init($0) })
        self.newest = ComposeList("The newest first", newest.map { .init($0) })
    }
}

/// The page of the queue: what is made, what waits and why, and the workers.
struct QueuePage: Sendable {
    struct Share: Sendable {
        let owner, query: String
        let underWay, waiting: Int
    }

    let owner: String
    let underWay, waiting: ComposeList?
    let more: String?
    let shares: [Share]
    let workers: [ShownWorker]
    let hasShares, hasWorkers: Bool

    init(owner: String, underWay: ComposeList?, waiting: ComposeList?, total: Int, shares: [OwnerShare], workers: [WorkerRecord]) {
        self.owner = owner.shown(200)
        self.underWay = underWay
        self.waiting = waiting
        let rest = total - (waiting?.rows.count ?? 0)
        more = rest > 0 ? "and \(rest) more" : nil
        self.shares = shares.map {
            Share(owner: $0.owner.shown(100), query: $0.owner.percentEncoded, underWay: $0.underWay, waiting: $0.waiting)
        }
        self.workers = workers.filter(\.isAlive).map(ShownWorker.init)
        hasShares = !shares.isEmpty
        hasWorkers = !self.workers.isEmpty
    }
}

/// A worker on a page.
struct ShownWorker: Sendable {
    let name: String
    let slots: Int
    let seen: ShownTime

    init(_ worker: WorkerRecord) {
        name = worker.name.shown(200)
        slots = worker.slots
        seen = ShownTime(worker.seen)
    }
}
