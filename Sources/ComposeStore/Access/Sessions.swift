import Crypto
import Foundation
public import Identity
import Postgres

// The sessions of people who are logged in to the pages. The database has only a hash of each session's
// text.
extension ComposeStore {
    /// The time without a request after which a session ends.
    private static let idleTime = Duration.seconds(12 * 3600)
    /// The longest life of a session. The groups of the person are those of its beginning.
    private static let longestLife = Duration.seconds(7 * 86_400)

    /// Begins the session of a person.
    ///
    /// - Parameter text: 256 random bits as text, which the browser keeps.
    public func beginSession(_ text: Secret, of person: Identity) async throws {
        _ = try await pool.query("DELETE FROM sessions WHERE expires_at < now()")
        _ = try await pool.query(
            """
            INSERT INTO sessions (id, account, provider, groups, scopes, expires_at)
            VALUES (
                \(Self.hash(text)), \(person.account.text), \(person.provider), \(person.groups.sorted()),
                \(person.scopes.map { $0.map(\.rawValue).sorted() }), now() + \(fragment: interval(Self.idleTime))
            )
            """)
    }

    /// Returns the person of a session, and lets the session last for another while. Returns `nil` if it
    /// has ended.
    public func person(ofSession text: Secret) async throws -> Identity? {
        let id = Self.hash(text)
        let rows = try await pool.query(
            """
            SELECT account, provider, groups, scopes, seen_at < now() - interval '1 minute' AS is_old
            FROM sessions WHERE id = \(id) AND expires_at > now()
            """)
        guard let row = rows.first else { return nil }
        if try row.decode(Bool.self, "is_old") {
            _ = try await pool.query(
                """
                UPDATE sessions SET seen_at = now(),
                    expires_at = least(now() + \(fragment: interval(Self.idleTime)), created_at + \(fragment: interval(Self.longestLife)))
                WHERE id = \(id)
                """)
        }
        let scopes = try row.decode([String]?.self, "scopes").map { Set($0.compactMap(Scope.init)) }
        return Identity(
            account: try AccountName(try row.decode(String.self, "account")), provider: try row.decode(String.self, "provider"),
            groups: Set(try row.decode([String].self, "groups")), scopes: scopes)
    }

    /// Ends a session. One that has ended before stays so.
    public func endSession(_ text: Secret) async throws {
        _ = try await pool.query("DELETE FROM sessions WHERE id = \(Self.hash(text))")
    }

    /// Ends all sessions of a person. Returns their number.
    public func endSessions(of account: String) async throws -> Int {
        try await pool.query("DELETE FROM sessions WHERE account = \(account) RETURNING id").count
    }

    /// Returns the SHA-256 of a session's text in hexadecimal. A slow hash would protect nothing, because
    /// the text has 256 random bits.
    private static func hash(_ text: Secret) -> String {
        SHA256.hash(data: Data(text.text.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
