public import ComposeModel
import Foundation
import Postgres

/// One page of a list of watches, with the newest first.
public struct WatchPage: Sendable {
    /// The watches of the page. Long lists of words and long problems end with `…`.
    /// ``ComposeStore/watch(_:)`` has all of them.
    public var items: [ComposeWatch]
    /// The number of watches on all pages.
    public var total: Int
}

extension ComposeStore {
    /// The shortest time to live, in seconds. The latest compose of a watch is extended as long as the
    /// watch stands. A shorter life could end before a worker extends it.
    private static let shortestLife = 60

    /// Returns the owner's watch for exactly this request, and starts it if it does not exist. If equal
    /// requests arrive at the same time, one of them starts the watch and the others find it.
    ///
    /// - Parameters:
    ///   - request: A request of the source type `tag`, without an event. A time to live of less than a
    ///     minute becomes a minute.
    ///   - limit: The number of watches that may stand for the caller, or `nil` for any number.
    ///   - limits: The limits of the owner, if the owner is one account.
    /// - Throws: ``CallerLimitReached``, ``OwnerLimitReached``, `PostgresError`.
    public func standingWatch(
        owner: String, request: ComposeRequest, limit: CallerLimit? = nil, limits: OwnerLimits? = nil
    ) async throws -> ComposeWatch {
        let request = Self.lasting(request)
        return try await pool.withTransaction { connection in
            try await waitForTurn(owner, "'watch ' || \(PostgresJSON(request))::jsonb::text", on: connection)
            let rows = try await connection.query(
                """
                SELECT \(fragment: ComposeWatch.columns) FROM watches w
                WHERE w.owner = \(owner) AND w.request = \(PostgresJSON(request)) AND w.ended_at IS NULL ORDER BY w.id LIMIT 1
                """)
            if let watch = try rows.first.map(ComposeWatch.init) { return watch }
            if let limit { try await checkWatches(limit, on: connection) }
            if let limits { try await checkWatches(of: owner, limits, on: connection) }
            return try await startWatch(owner: owner, request: request, caller: limit?.caller, on: connection)
        }
    }

    /// Returns the request with a time to live that is long enough for a worker to extend its composes.
    static func lasting(_ request: ComposeRequest) -> ComposeRequest {
        var request = request
        request.secondsToLive = max(request.secondsToLive, shortestLife)
        return request
    }

    /// Inserts a watch and announces it. Its first look, which makes the first compose, is due at once.
    ///
    /// - Parameter request: A request that ``lasting(_:)`` has returned.
    func startWatch(
        owner: String, request: ComposeRequest, caller: String? = nil, on connection: PostgresConnection
    ) async throws -> ComposeWatch {
        let rows = try await connection.query(
            """
            INSERT INTO watches AS w (owner, request, caller) VALUES (\(owner), \(PostgresJSON(request)), \(caller))
            RETURNING \(fragment: ComposeWatch.columns)
            """)
        let watch = try ComposeWatch(rows[rows.startIndex])
        try await announce([watch.id], on: connection)
        return watch
    }

    /// Returns the watch with that id, even if it was ended, or `nil` if no watch has that id.
    public func watch(_ id: Int) async throws -> ComposeWatch? {
        try await pool.query("SELECT \(fragment: ComposeWatch.columns) FROM watches w WHERE w.id = \(id)").first.map(ComposeWatch.init)
    }

    /// Returns one page of watches.
    ///
    /// - Parameters:
    ///   - owner: The owner of the watches, or `nil` for those of all owners.
    ///   - page: The number of the page, which begins at 1. A page past the end is empty.
    public func watches(
        owner: String? = nil, includingEnded: Bool = false, hiddenTargets: [String] = [], page: Int = 1, perPage: Int = 10
    ) async throws -> WatchPage {
        let condition: SQL = """
            (\(owner)::text IS NULL OR w.owner = \(owner)) AND (\(includingEnded) OR w.ended_at IS NULL)
                AND w.request->>'targetDir' <> ALL(\(hiddenTargets))
            """
        let page = try await self.page(
            PagePlace(page: page, perPage: perPage), of: ComposeWatch.listColumns, "FROM watches w WHERE \(fragment: condition)",
            orderedBy: "w.id DESC", read: ComposeWatch.init)
        return WatchPage(items: page.items, total: page.total)
    }

    /// Ends a watch, and the rules that follow it. A watch that was ended before stays as it is. A look
    /// that is in progress makes no compose any more.
    ///
    /// - Returns: `nil` if there is no such watch.
    public func endWatch(_ id: Int) async throws -> ComposeWatch? {
        try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                UPDATE watches w SET ended_at = coalesce(w.ended_at, now()), lease_token = NULL, lease_expires_at = NULL, caller = NULL
                WHERE w.id = \(id)
                RETURNING \(fragment: ComposeWatch.columns)
                """)
            guard let watch = try rows.first.map(ComposeWatch.init) else { return nil }
            try await endRules(ofWatch: id, on: connection)
            try await announce([id], on: connection)
            return watch
        }
    }

    /// Notifies listeners that watches have changed. The text is `watch ID`, on the channel that has the
    /// schema's name.
    func announce(_ watches: [Int], on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "SELECT pg_notify(current_schema(), 'watch ' || id) FROM unnest(\(watches)) AS id")
    }
}

extension ComposeWatch {
    /// The columns of `watches AS w` that ``init(_:)`` reads.
    static let columns: SQL = "w.request, w.problem, \(fragment: shortColumns)"

    /// The columns for a list, like ``columns`` but with long texts cut.
    static let listColumns: SQL = """
        \(fragment: ShortColumns.request("w.request")) AS request, \(fragment: ShortColumns.text("w.problem")) AS problem,
        \(fragment: shortColumns)
        """

    private static let shortColumns: SQL = """
        w.id, w.owner, w.created_at, w.ended_at, w.koji_event, w.looked_at,
        (SELECT max(c.id) FROM composes c WHERE c.watch_id = w.id) AS latest_compose
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(Int.self, "id"),
            owner: try row.decode(String.self, "owner"),
            request: try row.decode(PostgresJSON<ComposeRequest>.self, "request").value,
            createdAt: try row.decode(Date.self, "created_at"),
            endedAt: try row.decode(Date?.self, "ended_at"),
            kojiEvent: try row.decode(Int?.self, "koji_event"),
            latestCompose: try row.decode(Int?.self, "latest_compose"),
            lookedAt: try row.decode(Date?.self, "looked_at"),
            problem: try row.decode(String?.self, "problem"))
    }
}
