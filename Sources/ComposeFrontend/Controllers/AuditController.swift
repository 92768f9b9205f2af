import ComposeModel
import ComposeStore
import ForeignText
import Foundation
import Hummingbird

/// The handler of `/api/1/audit`: admins read the audit.
struct AuditController: Sendable {
    let store: ComposeStore

    var resources: [Resource] { [Resource("/api/1/audit", [.get: .needs(.admin, list)])] }

    private static let (defaultMost, most) = (100, 1000)

    private func list(_ request: Request, _ context: FrontendContext, _ grant: Grant) async throws -> Response {
        let items = try QueryItems(request.uri.query)
        var query = AuditQuery(most: Self.defaultMost)
        query.account = items.last("owner")
        query.token = items.last("token")
        query.action = items.last("action")
        if let name = items.last("outcome") {
            guard let outcome = AuditEntry.Outcome(rawValue: name) else {
                throw RequestRejection.badRequest("outcome cannot be \(name.quoted). Use one of done, refused, failed.")
            }
            query.outcome = outcome
        }
        if let text = items.last("since") {
            // The error of the parser has nothing that the sentence lacks.
            guard let time = try? Date(text, strategy: .iso8601) else {
                throw RequestRejection.badRequest("since cannot be \(text.quoted). It must be a time such as 2026-11-30T00:00:00Z.")
            }
            query.since = time
        }
        query.before = try items.last("before").map { try QueryItems.number($0, "before", from: 1) }
        query.most = min(try items.last("per_page").map { try QueryItems.number($0, "per_page", from: 1) } ?? Self.defaultMost, Self.most)
        let records = try await store.audit(query)
        return try .json(AuditList(items: records.map(AuditDocument.init), before: records.count == query.most ? records.last?.id : nil))
    }

}

extension QueryItems {
    /// The last value of a key.
    fileprivate func last(_ key: String) -> String? { items.last { $0.key == key }?.value }
}

/// A page of the audit, with the newest entries first.
private struct AuditList: Encodable {
    let items: [AuditDocument]
    /// The value of the parameter `before` for the next page. Missing on the last page.
    let before: Int?
}

private struct AuditDocument: Encodable {
    let id: Int
    let time, action, outcome: String
    let object, account, provider, token, rule, address, request: String?
    let detail: [String: String]

    init(_ record: AuditRecord) {
        let entry = record.entry
        id = record.id
        time = ComposeDocument.format(record.time)
        action = entry.action
        outcome = entry.outcome.rawValue
        object = entry.object
        account = entry.sender.account
        provider = entry.sender.provider
        token = entry.sender.token
        rule = entry.sender.rule
        address = entry.sender.address
        request = entry.sender.request
        detail = entry.detail
    }
}
