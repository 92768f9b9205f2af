import Foundation
public import Identity
import Postgres

extension ComposeStore {
    /// Makes a token. Its text is in the answer, and nowhere else.
    public func createToken(_ new: NewToken, by sender: AuditSender) async throws -> IssuedToken {
        let text = TokenText.random()
        return try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                INSERT INTO tokens AS t (id, owner, groups, note, secret, scopes, rule, repositories, created_by, expires_at)
                VALUES (
                    \(text.id), \(new.owner.text), \(new.groups.sorted()), \(new.note), \(text.hash), \(new.scopes.map(\.rawValue).sorted()),
                    \(new.rule), \(new.repositories), \(sender.account ?? ""), now() + \(fragment: Self.life(new.life))
                )
                RETURNING \(fragment: APIToken.columns)
                """)
            let token = try APIToken(rows[rows.startIndex])
            try await record("token.create", token, by: sender, on: connection)
            return IssuedToken(token: token, text: text.text)
        }
    }

    /// Gives a token a new secret. It then lives as long as it did at first.
    ///
    /// - Parameters:
    ///   - overlap: How long the secret before this one is still accepted.
    ///   - life: The longest life of a token, or `nil` for any.
    /// - Returns: `nil` if there is no such token, or if it is revoked or expired.
    public func rotateToken(
        _ id: String, overlap: Duration, atMost life: Duration? = nil, by sender: AuditSender
    ) async throws -> IssuedToken? {
        let text = TokenText.random(id: id)
        defer { tokenChanges.add() }
        return try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                UPDATE tokens t SET old_secret = CASE WHEN \(overlap > .zero) THEN secret END,
                    old_until = CASE WHEN \(overlap > .zero) THEN now() + \(fragment: interval(overlap)) END,
                    secret = \(text.hash), rotated_at = now(),
                    expires_at = least(
                        now() + (expires_at - coalesce(rotated_at, created_at)), now() + \(fragment: Self.life(life)))
                WHERE id = \(id) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                RETURNING \(fragment: APIToken.columns)
                """)
            guard let token = try rows.first.map(APIToken.init) else { return nil }
            try await record("token.rotate", token, by: sender, on: connection)
            try await announceTokenChange(on: connection)
            return IssuedToken(token: token, text: text.text)
        }
    }

    /// Revokes a token. The next request with it is refused. A token that was revoked before stays as it
    /// is.
    ///
    /// - Returns: `nil` if there is no such token.
    public func revokeToken(_ id: String, by sender: AuditSender) async throws -> APIToken? {
        defer { tokenChanges.add() }
        return try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                UPDATE tokens t SET revoked_at = now(), revoked_by = \(sender.account ?? ""), old_secret = NULL, old_until = NULL
                WHERE id = \(id) AND revoked_at IS NULL RETURNING \(fragment: APIToken.columns)
                """)
            guard let token = try rows.first.map(APIToken.init) else { return try await self.token(id, on: connection) }
            try await record("token.revoke", token, by: sender, on: connection)
            try await announceTokenChange(on: connection)
            return token
        }
    }

    /// Returns the channel on which processes announce that a token was revoked or rotated.
    public static func tokenChannel(schema: String) -> String { "\(schema)_tokens" }

    private func announceTokenChange(on connection: PostgresConnection) async throws {
        _ = try await connection.query("SELECT pg_notify(current_schema() || '_tokens', '')")
    }

    /// Makes the token provider of this process look up each token again. Called when another process has
    /// announced a change.
    public func noteTokenChange() { tokenChanges.add() }

    /// Returns the token with that id, or `nil` if no token has it.
    public func token(_ id: String) async throws -> APIToken? {
        try await pool.withConnection { try await token(id, on: $0) }
    }

    private func token(_ id: String, on connection: PostgresConnection) async throws -> APIToken? {
        try await connection.query("SELECT \(fragment: APIToken.columns) FROM tokens t WHERE t.id = \(id)").first.map(APIToken.init)
    }

    /// Returns the tokens of an owner, or of all, with the newest first.
    ///
    /// - Parameter includingEnded: Whether revoked and expired tokens are listed too.
    public func tokens(owner: AccountName? = nil, includingEnded: Bool = false) async throws -> [APIToken] {
        try await pool.query(
            """
            SELECT \(fragment: APIToken.columns) FROM tokens t
            WHERE (\(owner?.text)::text IS NULL OR t.owner = \(owner?.text))
                AND (\(includingEnded) OR (t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())))
            ORDER BY t.created_at DESC, t.id LIMIT 1000
            """
        ).map(APIToken.init)
    }

    private func record(_ action: String, _ token: APIToken, by sender: AuditSender, on connection: PostgresConnection) async throws {
        _ = try await connection.query(AuditEntry.recording([AuditEntry(action, token, by: sender)]))
    }

    /// An interval that is NULL if the life has no end.
    private static func life(_ life: Duration?) -> SQL { life.map(interval) ?? "NULL::interval" }
}

extension AuditEntry {
    /// Creates the entry of an event in the life of a token. Example: `token.rotate`.
    init(_ action: String, _ token: APIToken, by sender: AuditSender) {
        let scopes = token.scopes.map(\.rawValue).sorted().joined(separator: " ")
        var detail = ["owner": token.owner.text, "note": token.note, "scopes": scopes]
        detail["rule"] = token.rule
        self.init(action, of: "token \(token.id)", by: sender, detail: detail)
    }
}

/// A token and its hashes, for the check of a request.
struct KnownToken: Sendable {
    var token: APIToken
    var hash: String
    /// The hash of the secret before the last rotation, while it is accepted.
    var oldHash: String?
    var isExpired: Bool
    /// Whether the token was not recorded as used for a minute.
    var isUseOld: Bool

    /// The hash that the secret of a token with an unknown id is compared with. No secret has it.
    static let dummyHash = String(repeating: "0", count: 64)
}

extension ComposeStore {
    /// Returns the tokens with these ids, for the check of requests. The result has an entry for each id.
    func knownTokens(_ ids: [String]) async throws -> [Result<KnownToken?, any Error>] {
        let rows = try await pool.query(
            """
            SELECT \(fragment: APIToken.columns), t.secret, CASE WHEN t.old_until > now() THEN t.old_secret END AS old_secret,
                coalesce(t.expires_at <= now(), false) AS is_expired,
                coalesce(t.used_at < now() - interval '1 minute', true) AS is_use_old
            FROM tokens t WHERE t.id = ANY(\(Array(Set(ids))))
            """)
        let found = Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                let known = Result {
                    KnownToken(
                        token: try APIToken(row), hash: try row.decode(String.self, "secret"),
                        oldHash: try row.decode(String?.self, "old_secret"), isExpired: try row.decode(Bool.self, "is_expired"),
                        isUseOld: try row.decode(Bool.self, "is_use_old"))
                }
                return (try row.decode(String.self, "id"), known)
            })
        return ids.map { id in found[id].map { $0.map(Optional.some) } ?? .success(nil) }
    }

    /// Records that a token was used, and audits its first use from an address.
    func markUse(of token: APIToken, from address: String?) async throws {
        let first = AuditEntry(
            "token.use", of: "token \(token.id)",
            by: AuditSender(account: token.owner.text, provider: TokenProvider.name, token: token.id, address: address))
        try await pool.withTransaction { connection in
            _ = try await connection.query("UPDATE tokens SET used_at = now(), used_from = \(address) WHERE id = \(token.id)")
            let known = try await connection.query(
                """
                SELECT EXISTS (
                    SELECT FROM audit WHERE token = \(token.id) AND action = 'token.use' AND address IS NOT DISTINCT FROM \(address)
                ) AS is_known
                """)
            guard try !known[known.startIndex].decode(Bool.self, "is_known") else { return }
            _ = try await connection.query(AuditEntry.recording([first]))
        }
    }
}
