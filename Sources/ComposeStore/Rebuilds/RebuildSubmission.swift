public import ComposeModel
public import ImageModel
import Postgres

/// An error: the key was used for another request for a rebuild before. Nothing was stored.
public struct RebuildKeyTaken: Error, Hashable, Sendable {
    public let key: String
    /// The rebuild that the key stands for.
    public let rebuild: Int
}

/// The values of a new rebuild.
private struct NewRebuild: Sendable {
    /// The place of the newer packages.
    enum Fix: Sendable {
        case compose(Int, RebuildPlan?)
        /// A compose that is made first.
        case request(ComposeRequest, CallerLimit?)
    }

    let fix: Fix
    let reason: RebuildReason
    let selection: RebuildSelection
    let owner: String
    let dateTag: ImageTag
    let priority: Int

    /// Whether a rebuild has the same values. Its tag may be that of another day.
    func isSame(as rebuild: Rebuild, of request: ComposeRequest) -> Bool {
        let sameCompose =
            switch fix {
            case .compose(let id, _): id == rebuild.compose
            case .request(let new, _): new == request
            }
        return sameCompose && reason == rebuild.reason && selection == rebuild.selection && priority == rebuild.priority
    }
}

extension ComposeStore {
    /// Stores a rebuild with its plan, and makes its builds. A build that another rebuild asked for is used
    /// instead if it is equal. Two rebuilds with the same compose therefore build each image once.
    ///
    /// - Parameters:
    ///   - plan: The rows with parents before their children. A row to build can become one to join. `nil`
    ///     if the compose has not ended, see ``plan(_:as:)``.
    ///   - dateTag: The tag for the manifest lists of all builds.
    ///   - priority: The priority of the builds.
    ///   - key: The owner's key for the request. The rebuild that an equal request with the same key made
    ///     before is returned.
    /// - Throws: ``ComposeNotUsable`` if the compose is gone, ``OwnerLimitReached``, ``RebuildKeyTaken``.
    public func submitRebuild(
        _ plan: RebuildPlan?, for compose: Int, because reason: RebuildReason, selection: RebuildSelection = RebuildSelection(),
        owner: String, dateTag: ImageTag, priority: Int = 0, limits: OwnerLimits? = nil, unless key: String? = nil
    ) async throws -> Rebuild {
        try await submit(
            NewRebuild(
                fix: .compose(compose, plan), reason: reason, selection: selection, owner: owner, dateTag: dateTag, priority: priority),
            limits, unless: key)
    }

    /// Stores a compose, and a rebuild that waits for it.
    ///
    /// - Parameter limit: The number of composes that may wait for the caller, or `nil` for any number.
    /// - Throws: ``CallerLimitReached``, ``OwnerLimitReached``, ``RebuildKeyTaken``.
    public func submitRebuild(
        making compose: ComposeRequest, limit: CallerLimit? = nil, because reason: RebuildReason,
        selection: RebuildSelection = RebuildSelection(), owner: String, dateTag: ImageTag, priority: Int = 0,
        limits: OwnerLimits? = nil, unless key: String? = nil
    ) async throws -> Rebuild {
        try await submit(
            NewRebuild(
                fix: .request(compose, limit), reason: reason, selection: selection, owner: owner, dateTag: dateTag, priority: priority),
            limits, unless: key)
    }

    /// Returns whether the owner's key stands for a rebuild.
    public func hasRebuild(of key: String, owner: String) async throws -> Bool {
        try await !pool.query(
            "SELECT 1 AS one FROM rebuild_submissions WHERE owner = \(owner) AND idempotency_key = \(key)"
        ).isEmpty
    }

    private func submit(_ new: NewRebuild, _ limits: OwnerLimits?, unless key: String?) async throws -> Rebuild {
        try await changingBuilds { connection in
            if let key, let (earlier, request) = try await rebuild(of: key, new.owner, on: connection) {
                guard new.isSame(as: earlier, of: request) else { throw RebuildKeyTaken(key: key, rebuild: earlier.id) }
                return earlier
            }
            try await checkBuilds(of: new.owner, limits, on: connection)
            let (compose, plan): (Int, RebuildPlan?)
            switch new.fix {
            case .compose(let id, let known):
                (compose, plan) = (id, known)
                try await use([compose], on: connection)
            case .request(let request, let limit):
                let stored = try await insert(
                    NewCompose(request, owner: new.owner, limit: limit, limits: limits), unless: nil, on: connection)
                (compose, plan) = (stored.id, nil)
            }
            let rows = try await connection.query(
                """
                INSERT INTO rebuilds (owner, compose_id, reason, selection, priority, date_tag)
                VALUES (\(new.owner), \(compose), \(PostgresJSON(new.reason)), \(PostgresJSON(new.selection)), \(new.priority),
                    \(new.dateTag.text))
                RETURNING id
                """)
            let id = try rows[rows.startIndex].decode(Int.self, "id")
            if let key {
                _ = try await connection.query(
                    "INSERT INTO rebuild_submissions (rebuild_id, owner, idempotency_key) VALUES (\(id), \(new.owner), \(key))")
            }
            if let plan { try await carryOut(plan, of: id, on: connection) }
            return try await rebuild(id, on: connection)
        }
    }

    /// Returns the rebuild that the owner's key stands for, and the request of its compose.
    private func rebuild(
        of key: String, _ owner: String, on connection: PostgresConnection
    ) async throws -> (Rebuild, ComposeRequest)? {
        let rows = try await connection.query(
            """
            SELECT \(fragment: Rebuild.columns), c.request FROM rebuild_submissions s
            JOIN rebuilds r ON r.id = s.rebuild_id JOIN composes c ON c.id = r.compose_id
            WHERE s.owner = \(owner) AND s.idempotency_key = \(key)
            """)
        return try rows.first.map { row in (try Rebuild(row), try row.decode(PostgresJSON<ComposeRequest>.self, "request").value) }
    }
}
