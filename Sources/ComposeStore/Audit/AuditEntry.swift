import ComposeModel
import ForeignText
public import Foundation
public import Identity
import Postgres

/// The sender of a request, as the audit records it.
public struct AuditSender: Hashable, Sendable {
    /// The account, or `nil` if the sender showed no credentials or wrong ones.
    public var account: String?
    /// The identity provider. `odcs-server` stands for the service itself, or for a command on its host.
    public var provider: String?
    /// The id of the API token.
    public var token: String?
    /// The rule of `access.clients` that allowed the request.
    public var rule: String?
    /// The address, as limits count it.
    public var address: String?
    /// The id of the request in the log.
    public var request: String?

    public init(
        account: String? = nil, provider: String? = nil, token: String? = nil, rule: String? = nil, address: String? = nil,
        request: String? = nil
    ) {
        self.account = account
        self.provider = provider
        self.token = token
        self.rule = rule
        self.address = address
        self.request = request
    }

    public init(_ identity: Identity, rule: String? = nil, address: String? = nil, request: String? = nil) {
        self.init(
            account: identity.account.text, provider: identity.provider, token: identity.token, rule: rule, address: address,
            request: request)
    }
}

/// An *audit entry* is the record of a write, of a refused write, or of an event in the life of
/// credentials. It never has a secret or the body of a request.
public struct AuditEntry: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        case done, refused, failed
    }

    public var sender: AuditSender
    /// The method and the route of the request, or a name of an action. Examples:
    /// `POST /api/1/composes`, `token.rotate`.
    public var action: String
    /// The object of the action. Examples: `/api/1/composes/12`, `token 4k7m2p9xz1`.
    public var object: String?
    public var outcome: Outcome
    /// More about the action, for people. Example: `["status": "403"]`.
    public var detail: [String: String]

    public init(
        _ action: String, of object: String? = nil, by sender: AuditSender, outcome: Outcome = .done, detail: [String: String] = [:]
    ) {
        self.sender = sender
        self.action = action
        self.object = object
        self.outcome = outcome
        self.detail = detail
    }
}

extension AuditEntry {
    /// Returns the statement that records entries, for a transaction of the caller.
    ///
    /// - Parameter objects: An SQL expression for an array with the object of each entry. `nil` if the
    ///   entries have their objects.
    static func recording(_ entries: [AuditEntry], objects: SQL? = nil) -> SQL {
        let short = { (text: String?) in text.map { $0.printable(most: 500) } }
        let objects = objects ?? "\(entries.map { short($0.object) })"
        return """
            INSERT INTO audit (account, provider, token, rule, address, request, action, object, outcome, detail)
            SELECT account, provider, token, rule, address, request, action, object, outcome, detail::jsonb
            FROM unnest(
                \(entries.map { short($0.sender.account) }), \(entries.map(\.sender.provider)), \(entries.map(\.sender.token)),
                \(entries.map(\.sender.rule)), \(entries.map { short($0.sender.address) }), \(entries.map(\.sender.request)),
                \(entries.map(\.action)), \(fragment: objects), \(entries.map(\.outcome.rawValue)),
                \(entries.map(\.detailText))
            ) AS n (account, provider, token, rule, address, request, action, object, outcome, detail)
            """
    }

    /// The detail as JSON.
    private var detailText: String {
        var json = JSONWriter()
        json.object { json in
            for (name, text) in detail { json.member(name, text.printable(most: 500)) }
        }
        return String(decoding: json.bytes, as: UTF8.self)
    }
}

/// An audit entry with its number and time.
public struct AuditRecord: Hashable, Sendable {
    public var id: Int
    public var time: Date
    public var entry: AuditEntry
}

/// The conditions for a list of the audit.
public struct AuditQuery: Hashable, Sendable {
    public var account: String?
    public var action: String?
    public var token: String?
    public var outcome: AuditEntry.Outcome?
    public var since: Date?
    /// Only entries with a smaller number, for the next page.
    public var before: Int?
    public var most: Int

    public init(
        account: String? = nil, action: String? = nil, token: String? = nil, outcome: AuditEntry.Outcome? = nil, since: Date? = nil,
        before: Int? = nil, most: Int = 100
    ) {
        self.account = account
        self.action = action
        self.token = token
        self.outcome = outcome
        self.since = since
        self.before = before
        self.most = most
    }
}

extension AuditRecord {
    /// The columns of `audit AS a` that ``init(_:)`` reads.
    static let columns: SQL =
        "a.id, a.created_at, a.account, a.provider, a.token, a.rule, a.address, a.request, a.action, a.object, a.outcome, a.detail"

    init(_ row: PostgresRow) throws {
        let sender = AuditSender(
            account: try row.decode(String?.self, "account"), provider: try row.decode(String?.self, "provider"),
            token: try row.decode(String?.self, "token"), rule: try row.decode(String?.self, "rule"),
            address: try row.decode(String?.self, "address"), request: try row.decode(String?.self, "request"))
        let entry = AuditEntry(
            try row.decode(String.self, "action"), of: try row.decode(String?.self, "object"), by: sender,
            outcome: AuditEntry.Outcome(rawValue: try row.decode(String.self, "outcome")) ?? .failed,
            detail: try row.decode(PostgresJSON<[String: String]>.self, "detail").value)
        self.init(id: try row.decode(Int.self, "id"), time: try row.decode(Date.self, "created_at"), entry: entry)
    }
}
