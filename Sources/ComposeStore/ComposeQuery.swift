public import ComposeModel
import Postgres

/// Which composes to list, in which order, and which page of them. Several values of one filter are alternatives.
public struct ComposeQuery: Hashable, Sendable {
    /// What the list can be ordered by; the raw values are the contract's and, all but one, the columns'.
    public enum OrderField: String, Sendable, CaseIterable {
        case id, owner, state
        case sourceType = "source_type"
        case kojiEvent = "koji_event"
        case timeToExpire = "time_to_expire"
        case timeSubmitted = "time_submitted"
        case timeDone = "time_done"
        case timeRemoved = "time_removed"

        /// Only then may a statement say where NULL sorts: PostgreSQL would take no index for it, but sort all that there is.
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
    /// Ties are broken by id, in the direction of the last field.
    public var order: [Order] = [Order(field: .id, descending: true)]
    /// From 1 on.
    public var page = 1
    public var perPage = 10

    public init() {}
}

public struct ComposePage: Sendable {
    /// Texts and lists of words that are long end with `…`: ``ComposeStore/compose(_:)`` has all of them.
    public var items: [Compose]
    /// How many composes the filters let through, on all pages.
    public var total: Int
}

extension ComposeStore {
    public func list(_ query: ComposeQuery) async throws -> ComposePage {
        try await lists.answer(query, ()) { callers in
            let page = try await read(query)
            return callers.map { .success(page) }
        }
    }

    private func read(_ query: ComposeQuery) async throws -> ComposePage {
        let condition = query.condition
        let (skipped, overflow) = (query.page - 1).multipliedReportingOverflow(by: query.perPage)
        let total = try await pool.query("SELECT \(fragment: query.count) AS total")
        let items =
            overflow
            ? []
            : try await pool.query(
                """
                SELECT \(fragment: Compose.listColumns) FROM composes c WHERE \(fragment: condition)
                ORDER BY \(fragment: query.ordering) LIMIT \(query.perPage) OFFSET \(skipped)
                """
            ).map(Compose.init)
        return ComposePage(items: items, total: try total[total.startIndex].decode(Int.self, "total"))
    }
}

extension ComposeQuery {
    /// How many composes there are, as an expression. What is removed is nearly all of what ever was, and counted already as it is removed, by
    /// source type: unless something else is asked about it, only the others are counted one by one.
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
            && composeTypes.isEmpty && labels.isEmpty
    }

    fileprivate var condition: SQL {
        var condition: SQL = "true"
        func require(_ term: SQL, _ isAsked: Bool) {
            if isAsked { condition = "\(fragment: condition) AND \(fragment: term)" }
        }
        require("c.owner = ANY(\(owners))", !owners.isEmpty)
        require("c.source_type = ANY(\(sourceTypes.map(\.rawValue)))", !sourceTypes.isEmpty)
        // The index has the beginning of a source, which can be longer than an index takes.
        let beginnings = sources.map { String($0.unicodeScalars.prefix(200)) }
        require("left(c.source, 200) = ANY(\(beginnings)) AND c.source = ANY(\(sources))", !sources.isEmpty)
        require("c.state = ANY(\(states.map(\.rawValue)))", !states.isEmpty)
        require("c.koji_task_id = ANY(\(kojiTaskIDs))", !kojiTaskIDs.isEmpty)
        require("c.pungi_compose_id = ANY(\(pungiComposeIDs))", !pungiComposeIDs.isEmpty)
        require("c.compose_type = ANY(\(composeTypes))", !composeTypes.isEmpty)
        require("c.label = ANY(\(labels))", !labels.isEmpty)
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
