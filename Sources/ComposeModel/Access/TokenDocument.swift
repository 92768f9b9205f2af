/// An API token as the HTTP contract writes it. Times are written as in a ``ComposeDocument``.
public struct TokenDocument: Hashable, Sendable, Codable {
    /// The part of the token's text that is not secret.
    public var id: String
    /// The account that everything belongs to that the token makes.
    public var owner: String
    public var groups: [String]
    /// A text of the owner that distinguishes its tokens.
    public var note: String
    public var scopes: [String]
    /// The rule that the token is limited to.
    public var rule: String?
    /// Patterns of the repositories of images that the token is limited to. Example: `team/*`.
    public var repositories: [String]?
    public var timeCreated: String
    public var createdBy: String
    public var timeRotated: String?
    /// Until when the secret before the last rotation is accepted.
    public var oldSecretUntil: String?
    /// Missing if the token does not end by itself.
    public var timeToExpire: String?
    /// The time of the last use, exact to about a minute.
    public var timeUsed: String?
    public var usedFrom: String?
    public var timeRevoked: String?
    public var revokedBy: String?
    /// The whole text of the token. Only the answers to its creation and rotation have it.
    public var token: String?

    private enum CodingKeys: String, CodingKey {
        case id, owner, groups, note, scopes, rule, repositories, token
        case timeCreated = "time_created"
        case createdBy = "created_by"
        case timeRotated = "time_rotated"
        case oldSecretUntil = "old_secret_until"
        case timeToExpire = "time_to_expire"
        case timeUsed = "time_used"
        case usedFrom = "used_from"
        case timeRevoked = "time_revoked"
        case revokedBy = "revoked_by"
    }

    public init(
        id: String, owner: String, groups: [String], note: String, scopes: [String], rule: String?, repositories: [String]?,
        timeCreated: String, createdBy: String
    ) {
        self.id = id
        self.owner = owner
        self.groups = groups
        self.note = note
        self.scopes = scopes
        self.rule = rule
        self.repositories = repositories
        self.timeCreated = timeCreated
        self.createdBy = createdBy
    }
}

/// A list of API tokens.
public struct TokenList: Hashable, Sendable, Codable {
    public var items: [TokenDocument]

    public init(items: [TokenDocument]) {
        self.items = items
    }
}

/// A request for a new API token.
public struct TokenSubmission: Hashable, Sendable, Codable {
    public var note: String
    /// At least one.
    public var scopes: [String]
    /// The number of days that the token is valid. Missing: 90.
    public var days: Int?
    public var rule: String?
    public var repositories: [String]?

    public init(note: String, scopes: [String], days: Int? = nil, rule: String? = nil, repositories: [String]? = nil) {
        self.note = note
        self.scopes = scopes
        self.days = days
        self.rule = rule
        self.repositories = repositories
    }
}

/// A request for a new secret of an API token.
public struct TokenRotation: Hashable, Sendable, Codable {
    /// The number of hours that the old secret is still accepted. Missing: 24.
    public var overlapHours: Int?

    private enum CodingKeys: String, CodingKey {
        case overlapHours = "overlap_hours"
    }

    public init(overlapHours: Int? = nil) {
        self.overlapHours = overlapHours
    }
}
