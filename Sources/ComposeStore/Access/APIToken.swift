public import Foundation
public import Identity
import Postgres

/// An API token, without its secret.
public struct APIToken: Hashable, Sendable {
    public var id: String
    /// The account that everything belongs to that the token makes.
    public var owner: AccountName
    /// The groups of the owner when the token was made.
    public var groups: Set<String>
    /// A text of the owner that distinguishes its tokens. Example: `nightly CI`.
    public var note: String
    public var scopes: Set<Scope>
    /// The rule that the token is limited to. `nil` if it is not limited.
    public var rule: String?
    /// Patterns of the repositories of images that the token is limited to. Example: `team/*`. `nil` if it
    /// is not limited.
    public var repositories: [String]?
    public var createdAt: Date
    public var createdBy: String
    /// When the token got its present secret, if that is not its first one.
    public var rotatedAt: Date?
    /// Until when the secret before the last rotation is accepted.
    public var oldSecretUntil: Date?
    /// When the token ends. `nil` if it does not end by itself.
    public var expiresAt: Date?
    /// When and from which address the token was last used. The time is exact to about a minute.
    public var usedAt: Date?
    public var usedFrom: String?
    public var revokedAt: Date?
    public var revokedBy: String?

    /// The time before the end of a token from which on its owner is warned, if nothing else is configured.
    public static let warning = Duration.seconds(14 * 86_400)

    /// Returns whether the token is accepted at that time.
    public func isValid(at time: Date) -> Bool { revokedAt == nil && expiresAt.map { $0 > time } != false }
}

/// The values of an API token that is to be made.
public struct NewToken: Sendable {
    public var owner: AccountName
    public var groups: Set<String>
    public var note: String
    public var scopes: Set<Scope>
    public var rule: String?
    public var repositories: [String]?
    /// How long the token is accepted. `nil`: until a person revokes it.
    public var life: Duration?

    /// - Parameter scopes: At least one.
    public init(
        owner: AccountName, groups: Set<String> = [], note: String, scopes: Set<Scope>, rule: String? = nil, repositories: [String]? = nil,
        life: Duration?
    ) {
        self.owner = owner
        self.groups = groups
        self.note = note
        self.scopes = scopes
        self.rule = rule
        self.repositories = repositories
        self.life = life
    }
}

/// An API token that was just made or rotated, with its text. The text cannot be shown again.
public struct IssuedToken: Sendable {
    public var token: APIToken
    public var text: Secret
}

extension APIToken {
    /// The columns of `tokens AS t` that ``init(_:)`` reads.
    static let columns: SQL = """
        t.id, t.owner, t.groups, t.note, t.scopes, t.rule, t.repositories, t.created_at, t.created_by, t.rotated_at,
        CASE WHEN t.old_until > now() THEN t.old_until END AS old_until, t.expires_at, t.used_at, t.used_from, t.revoked_at, t.revoked_by
        """

    /// An SQL expression for a row of `tokens AS t` as events have it: without the hashes of its secrets.
    static let shown: SQL = """
        (SELECT to_jsonb(s) FROM (
            SELECT t.id, t.owner, t.groups, t.note, t.scopes, t.rule, t.repositories, t.created_at, t.created_by, t.rotated_at, t.old_until,
                t.expires_at, t.used_at, t.used_from
        ) s)
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(String.self, "id"),
            owner: try AccountName(row.decode(String.self, "owner")),
            groups: Set(try row.decode([String].self, "groups")),
            note: try row.decode(String.self, "note"),
            // A scope that only a newer version knows grants nothing here.
            scopes: Set(try row.decode([String].self, "scopes").compactMap(Scope.init)),
            rule: try row.decode(String?.self, "rule"),
            repositories: try row.decode([String]?.self, "repositories"),
            createdAt: try row.decode(Date.self, "created_at"),
            createdBy: try row.decode(String.self, "created_by"),
            rotatedAt: try row.decode(Date?.self, "rotated_at"),
            oldSecretUntil: try row.decode(Date?.self, "old_until"),
            expiresAt: try row.decode(Date?.self, "expires_at"),
            usedAt: try row.decode(Date?.self, "used_at"),
            usedFrom: try row.decode(String?.self, "used_from"),
            revokedAt: try row.decode(Date?.self, "revoked_at"),
            revokedBy: try row.decode(String?.self, "revoked_by"))
    }
}
