public import ComposeModel
import Postgres

/// A query for composes: the filters, the order and the page. Several values of one filter are
/// alternatives.
public struct ComposeQuery: Hashable, Sendable {
    /// A field that the list can be ordered by. The raw values are those of the HTTP contract. The list is
    /// ordered by the column of that name, except for `time_to_expire`, for which it uses the expression
    /// `Compose.timeToExpire`.
    public enum OrderField: String, Sendable, CaseIterable {
        case id, owner, state
        case sourceType = "source_type"
        case kojiEvent = "koji_event"
        case timeToExpire = "time_to_expire"
        case timeSubmitted = "time_submitted"
        case timeDone = "time_done"
        case timeRemoved = "time_removed"

        /// Whether the column can be NULL. Only then does a statement say where NULL sorts. With such a clause
        /// PostgreSQL uses no index and sorts all rows.
        fileprivate var isNullable: Bool { [.kojiEvent, .timeDone, .timeRemoved].contains(self) }
    }

    public struct Order: Hashable, Sendable {
        public var field: OrderField
        public var descending: Bool

        public init(field: OrderField, descending: Bool = false) {
            self.field = field
            self.descending = descending
        }
    }

    public var owners: [String] = []
    public var sourceTypes: [SourceType] = []
    public var sources: [String] = []
    public var states: [ComposeState] = []
    public var kojiTaskIDs: [Int] = []
    public var pungiComposeIDs: [String] = []
    public var composeTypes: [String] = []
    public var labels: [String] = []
    /// Packages that a request names. Only the newest ``mostSearched`` composes are searched for them.
    public var packages: [String] = []
    /// Watches that have made the composes, by their numbers.
    public var watches: [Int] = []
    /// The target directories whose composes are left out.
    public var hiddenTargets: [String] = []
    /// The order of the list. Equal composes are ordered by id, in the direction of the last field.
    public var order: [Order] = [Order(field: .id, descending: true)]
    /// The number of the page, which begins at 1.
    public var page = 1
    public var perPage = 10

    public init() {}

    /// The number of composes that are searched for a package. No index has the packages of requests,
    /// because each submission would have to maintain it. One statement searches them, and only once.
    public static let mostSearched = 20_000
}

/// One page of a list of composes.
public struct ComposePage: Sendable {
    /// The composes of the page. Long texts and long lists of words end with `…`.
    /// ``ComposeStore/compose(_:)`` has all of them.
    public var items: [Compose]
    /// The number of composes that match the filters, on all pages.
    public var total: Int
}

extension ComposeStore {
    /// Returns one page of composes. Equal queries that wait at the same time share one read.
    public func list(_ query: ComposeQuery) async throws -> ComposePage {
        try await lists.answer(query, ()) { callers in
            let page = try await read(query)
            return callers.map { .success(page) }
        }
    }

    private func read(_ query: ComposeQuery) async throws -> ComposePage {
        guard query.packages.isEmpty else { return try await search(query) }
        let page = try await self.page(
            PagePlace(page: query.page, perPage: query.perPage), of: Compose.listColumns,
            "FROM composes c WHERE \(fragment: query.condition)", orderedBy: query.ordering, count: query.count, read: Compose.init)
        return ComposePage(items: page.items, total: page.total)
    }

    /// Reads a page of the composes whose requests name packages. The composes are searched once, for the
    /// page and for the number of all pages.
    private func search(_ query: ComposeQuery) async throws -> ComposePage {
        let page = try await self.page(
            PagePlace(page: query.page, perPage: query.perPage), of: Compose.listColumns,
            "FROM found f JOIN composes c ON c.id = f.id", orderedBy: query.ordering, count: "(SELECT count(*) FROM found)",
            with: "WITH found AS MATERIALIZED (SELECT c.id FROM composes c WHERE \(fragment: query.condition))", read: Compose.init)
        return ComposePage(items: page.items, total: page.total)
    }
}

extension ComposeQuery {
    /// An SQL expression for the number of composes that match.
    ///
    /// Nearly all composes are removed ones, and these are counted by source type when they are removed.
    /// Only composes in other states are counted one by one, unless the query has a filter other than the
    /// source type and the state.
    fileprivate var count: SQL {
        var others = self
        others.sourceTypes = []
        others.states = []
        guard others.isUnconditional else { return "(SELECT count(*) FROM composes c WHERE \(fragment: condition))" }
        let present: SQL = "(SELECT count(*) FROM composes c WHERE \(fragment: condition) AND c.state <> 3)"
        guard states.isEmpty || states.contains(.removed) else { return present }
        let types: SQL = sourceTypes.isEmpty ? "true" : "r.source_type = ANY(\(sourceTypes.map(\.rawValue)))"
        return """
            (\(fragment: present)
                + (SELECT coalesce(sum(r.composes), 0)::bigint FROM removed_composes r WHERE \(fragment: types)))
            """
    }

    private var isUnconditional: Bool {
        owners.isEmpty && sourceTypes.isEmpty && sources.isEmpty && states.isEmpty && kojiTaskIDs.isEmpty && pungiComposeIDs.isEmpty
            && composeTypes.isEmpty && labels.isEmpty && packages.isEmpty && watches.isEmpty && hiddenTargets.isEmpty
    }

    fileprivate var condition: SQL {
        var condition: SQL = "true"
        condition.require("c.owner = ANY(\(owners))", if: !owners.isEmpty)
        condition.require("c.source_type = ANY(\(sourceTypes.map(\.rawValue)))", if: !sourceTypes.isEmpty)
        // The index contains only the beginning of a source, because a source can be longer than an index
        // entry.
        let beginnings = sources.map { String($0.unicodeScalars.prefix(200)) }
        condition.require("left(c.source, 200) = ANY(\(beginnings)) AND c.source = ANY(\(sources))", if: !sources.isEmpty)
        condition.require("c.state = ANY(\(states.map(\.rawValue)))", if: !states.isEmpty)
        condition.require("c.koji_task_id = ANY(\(kojiTaskIDs))", if: !kojiTaskIDs.isEmpty)
        condition.require("c.pungi_compose_id = ANY(\(pungiComposeIDs))", if: !pungiComposeIDs.isEmpty)
        condition.require("c.compose_type = ANY(\(composeTypes))", if: !composeTypes.isEmpty)
        condition.require("c.label = ANY(\(labels))", if: !labels.isEmpty)
        condition.require("c.watch_id = ANY(\(watches))", if: !watches.isEmpty)
        condition.require(
            "c.id > (SELECT max(id) FROM composes) - \(Self.mostSearched) AND c.request->'packages' ?| \(packages)", if: !packages.isEmpty)
        condition.require("c.request->>'targetDir' <> ALL(\(hiddenTargets))", if: !hiddenTargets.isEmpty)
        return condition
    }

    fileprivate var ordering: SQL {
        var terms = order.map { order in
            let nulls = order.field.isNullable ? " NULLS LAST" : ""
            let value = order.field == .timeToExpire ? "(\(Compose.timeToExpire.text))" : "c.\(order.field.rawValue)"
            return "\(value) \(order.descending ? "DESC" : "ASC")\(nulls)"
        }
        if !order.contains(where: { $0.field == .id }) {
            terms.append("c.id \(order.last?.descending == true ? "DESC" : "ASC")")
        }
        return "\(unsafe: terms.joined(separator: ", "))"
    }
}
