import ComposeModel
import Postgres

/// The way to recognize that a new request is an earlier one that was sent again.
public enum Resubmission: Hashable, Sendable {
    /// The owner's key for the request (`Idempotency-Key`). It belongs to that request alone, as long as it
    /// is remembered.
    case key(String)
    /// An equal request of the same owner, sent within this time. Its compose must have neither failed nor
    /// been removed.
    case sameRequest(within: Duration)
}

/// An error: the key was used for another request before. Nothing was stored.
public struct ResubmissionKeyTaken: Error, Hashable, Sendable {
    public let key: String
    /// The compose that the key stands for.
    public let compose: Int
}

extension ComposeStore {
    /// Inserts a compose, or finds the one that the same request made before. If equal requests arrive at
    /// the same time, one of them inserts the compose and the others find it.
    ///
    /// - Throws: ``CallerLimitReached``, ``OwnerLimitReached``, ``ResubmissionKeyTaken``, `PostgresError`.
    func insert(_ new: NewCompose, unless resubmission: Resubmission?, on connection: PostgresConnection) async throws -> Compose {
        guard let resubmission else { return try await insertAdmitted(new, on: connection) }
        let earlier: Compose?
        switch resubmission {
        case .key(let key):
            try await waitForTurn(new.owner, "\(key)", on: connection)
            earlier = try await compose(of: key, for: new, on: connection)
        case .sameRequest(let window):
            try await waitForTurn(new.owner, "\(PostgresJSON(new.request))::jsonb::text", on: connection)
            earlier = try await compose(sameAs: new, within: window, on: connection)
        }
        if let earlier { return earlier }
        let compose = try await insertAdmitted(new, on: connection)
        let key: String? = if case .key(let key) = resubmission { key } else { nil }
        _ = try await connection.query(
            "INSERT INTO submissions (compose_id, owner, idempotency_key) VALUES (\(compose.id), \(new.owner), \(key))")
        return compose
    }

    private func insertAdmitted(_ new: NewCompose, on connection: PostgresConnection) async throws -> Compose {
        for refusal in try await refusals(of: [new], on: connection) {
            if let refusal { throw refusal }
        }
        if let limit = new.limit, let old = new.renewedFrom { try await checkRenewals(of: old.id, by: new.owner, limit, on: connection) }
        return try await insert(new, on: connection)
    }

    /// Waits until no other transaction submits the same thing, and then keeps others waiting until this
    /// transaction ends. The next statement sees everything that the others have committed.
    func waitForTurn(_ owner: String, _ what: SQL, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' submission ' || \(owner) || ' ' || \(fragment: what), 0))")
    }

    private func compose(of key: String, for new: NewCompose, on connection: PostgresConnection) async throws -> Compose? {
        let rows = try await connection.query(
            """
            SELECT \(fragment: Compose.columns),
                c.request = \(PostgresJSON(new.request)) AND c.renewed_from IS NOT DISTINCT FROM \(new.renewedFrom?.id) AS is_same
            FROM submissions s JOIN composes c ON c.id = s.compose_id
            WHERE s.owner = \(new.owner) AND s.idempotency_key = \(key)
            """)
        guard let row = rows.first else { return nil }
        let compose = try Compose(row)
        guard try row.decode(Bool.self, "is_same") else { throw ResubmissionKeyTaken(key: key, compose: compose.id) }
        return compose
    }

    private func compose(sameAs new: NewCompose, within window: Duration, on connection: PostgresConnection) async throws -> Compose? {
        try await connection.query(
            """
            SELECT \(fragment: Compose.columns) FROM submissions s JOIN composes c ON c.id = s.compose_id
            WHERE s.owner = \(new.owner) AND s.created_at > now() - \(fragment: interval(window))
            AND c.request = \(PostgresJSON(new.request)) AND c.renewed_from IS NOT DISTINCT FROM \(new.renewedFrom?.id)
            AND c.state IN (0, 1, 2) ORDER BY c.id LIMIT 1
            """
        ).first.map(Compose.init)
    }

    /// Deletes the records of requests and of uploads that are older than `age`, and the keys of requests.
    /// Callers may rely on at least one day.
    ///
    /// - Returns: The number of deleted records.
    public func forgetSubmissions(olderThan age: Duration) async throws -> Int {
        var count = 0
        for table in ["submissions", "build_submissions", "rebuild_submissions", "uploads"] as [SQL] {
            count += try await deleteRows(of: table, by: "created_at", olderThan: age)
        }
        return count
    }
}
