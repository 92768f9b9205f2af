import ComposeModel
import ComposeStore
import ForeignText
import Hummingbird

/// The pages of many composes: the list with its filters, and the search.
struct ComposeListPages: Sendable {
    private static let perPage = 30

    let pages: WebPages
    let store: ComposeStore
    /// A search for a package reads many composes, so few are made at the same time.
    private let searches = Places(most: 2, "Other people are searching for packages")

    init(pages: WebPages, store: ComposeStore) {
        self.pages = pages
        self.store = store
    }

    var resources: [Resource] {
        [Resource("/compose", [.get: .page(list)]), Resource("/search", [.get: .page(search)])]
    }

    private func list(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let items = try QueryItems(request.uri.query).items
        let query = hidden(try Self.query(items), context)
        return response("Composes", query, try await found(query), items, request, context)
    }

    /// Leads to a compose by its number, or lists the composes of an owner, a source or a package.
    private func search(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let text = (try QueryItems(request.uri.query).items.last { $0.key == "q" }?.value ?? "").split(separator: " ").joined(
            separator: " ")
        if text.isEmpty { return pages.redirect(to: "/compose") }
        let digits = text.hasPrefix("odcs-") ? text.dropFirst(5) : text[...]
        if let id = Int(digits), id > 0 { return pages.redirect(to: "/compose/\(id)") }
        for (key, heading) in [("owner", "Composes of"), ("source", "Composes of the source")] {
            let items = [(key: key, value: text)]
            let query = hidden(try Self.query(items), context)
            let found = try await found(query)
            if found.total > 0 { return response("\(heading) \(text.shown(100))", query, found, items, request, context) }
        }
        let items = [(key: "package", value: text)]
        let query = hidden(try Self.query(items), context)
        let found = try await found(query)
        let heading = found.total > 0 ? "Composes with the package" : "Nothing found for"
        return response("\(heading) \(text.shown(100))", query, found, items, request, context)
    }

    private func found(_ query: ComposeQuery) async throws -> ComposePage {
        guard !query.packages.isEmpty else { return try await store.list(query) }
        return try await searches.with { try await store.list(query) }
    }

    private func response(
        _ heading: String, _ query: ComposeQuery, _ found: ComposePage, _ items: [(key: String, value: String)], _ request: Request,
        _ context: FrontendContext
    ) -> Response {
        let site = pages.site(request, context)
        let page = ComposesPage(heading: heading, query, found, items, root: site.root)
        return pages.response("composes", title: heading, page: page, request, context, site: site)
    }

    private func hidden(_ query: ComposeQuery, _ context: FrontendContext) -> ComposeQuery {
        var query = query
        query.hiddenTargets = pages.configuration.access.hiddenTargets(from: context.subject.sender).sorted()
        return query
    }

    private static func query(_ items: [(key: String, value: String)]) throws -> ComposeQuery {
        var query = ComposeQuery()
        query.perPage = perPage
        for (key, value) in items where !value.isEmpty {
            switch key {
            case "owner": query.owners.append(value)
            case "state":
                guard let state = ComposeState(name: value) else { throw unknown(key, value, ComposeState.allCases.map(\.name)) }
                query.states.append(state)
            case "type":
                guard let type = SourceType(name: value) else { throw unknown(key, value, SourceType.allCases.map(\.name)) }
                query.sourceTypes.append(type)
            case "source": query.sources.append(value.split(whereSeparator: \.isWhitespace).joined(separator: " "))
            case "label": query.labels.append(value)
            case "package": query.packages.append(value)
            case "page": query.page = try QueryItems.number(value, key, from: 1)
            default: break
            }
        }
        return query
    }

    private static func unknown(_ key: String, _ value: String, _ known: [String]) -> RequestRejection {
        .badRequest("\(key) cannot be \(value.quoted). Use one of these: \(known.joined(separator: ", ")).")
    }
}

/// The list of composes, with its filters.
struct ComposesPage: Sendable {
    let heading: String
    let note: String?
    let owner, source, package, label: String
    let states, types: [Choice]
    let isFiltered: Bool
    let list: ComposeList?
    let pager: Pager

    init(heading: String, _ query: ComposeQuery, _ found: ComposePage, _ items: [(key: String, value: String)], root: String) {
        self.heading = heading
        owner = query.owners.last ?? ""
        source = query.sources.last ?? ""
        package = query.packages.last ?? ""
        label = query.labels.last ?? ""
        note =
            query.packages.isEmpty
            ? nil : "A search for a package looks at the requests of the newest \(ComposeQuery.mostSearched) composes."
        states = Choice.of(
            ComposeState.allCases.map { ($0.name, ShownState($0.name).word) }, chosen: query.states.last?.name)
        types = Choice.of(SourceType.allCases.map { ($0.name, $0.name) }, chosen: query.sourceTypes.last?.name)
        isFiltered = items.contains { $0.key != "page" && !$0.value.isEmpty }
        list = ComposeList("The newest first", found.items.map { .init($0) })
        pager = Pager(
            page: query.page, perPage: query.perPage, total: found.total, noun: "compose", path: "\(root)/compose", asked: items)
    }
}
