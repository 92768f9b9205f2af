import Postgres

/// A row page is one page of the rows of a list, and the number of rows on all pages.
struct RowPage<Item> {
    var items: [Item]
    var total: Int
}

/// The place of a page in a list.
struct PagePlace {
    /// The number of the page. It begins at 1.
    var page: Int
    /// The number of rows on a page. It is bounded where requests are read.
    var perPage: Int
}

extension SQL {
    /// Adds a term to a condition if it is asked for.
    mutating func require(_ term: SQL, if isAsked: Bool) {
        if isAsked { self = "\(fragment: self) AND \(fragment: term)" }
    }
}

extension ComposeStore {
    /// Returns one page of a list.
    ///
    /// The rows and their number are read by one statement. The size of the page is a part of its text. As
    /// a parameter, it would keep PostgreSQL from using the same plan again, since the plan's costs depend
    /// on it.
    ///
    /// - Parameters:
    ///   - columns: The columns that `read` needs.
    ///   - list: The tables and conditions, which begin with `FROM`.
    ///   - count: An expression for the number of rows of the whole list. `nil` if they are simply counted.
    ///   - with: Tables that `list` and `count` share, which begin with `WITH`.
    /// - Returns: A page without rows if the place is past the end.
    func page<Item>(
        _ place: PagePlace, of columns: SQL, _ list: SQL, orderedBy order: SQL, count: SQL? = nil, with tables: SQL = "",
        read: (PostgresRow) throws -> Item
    ) async throws -> RowPage<Item> {
        let count = count ?? "(SELECT count(*) \(fragment: list))"
        // A page whose offset is too large for an integer is past every end.
        let (skipped, isTooFar) = (max(1, place.page) - 1).multipliedReportingOverflow(by: place.perPage)
        if !isTooFar {
            let offset: SQL = skipped == 0 ? "" : "OFFSET \(skipped)"
            let rows = try await pool.query(
                """
                \(fragment: tables) SELECT \(fragment: columns), \(fragment: count) AS all_rows \(fragment: list)
                ORDER BY \(fragment: order) LIMIT \(unsafe: String(place.perPage)) \(fragment: offset)
                """)
            if let first = rows.first { return RowPage(items: try rows.map(read), total: try first.decode(Int.self, "all_rows")) }
            if skipped == 0 { return RowPage(items: [], total: 0) }
        }
        let counted = try await pool.query("\(fragment: tables) SELECT \(fragment: count) AS all_rows")
        return RowPage(items: [], total: try counted[counted.startIndex].decode(Int.self, "all_rows"))
    }
}
