import ComposeModel
import ComposeTestKit
import Foundation
import Identity
import Postgres
import Testing

@testable import ComposeStore

@Suite struct AuditTests {
    private static func entry(
        _ action: String, by account: String?, outcome: AuditEntry.Outcome = .done, detail: [String: String] = [:]
    ) -> AuditEntry {
        AuditEntry(
            action, of: "/api/1/composes/1", by: AuditSender(account: account, address: "192.0.2.7", request: "r1"), outcome: outcome,
            detail: detail)
    }

    @Test("entries are read as they were written, with the newest first, by their conditions and page by page")
    func list() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let entries = [
                Self.entry("PATCH", by: "joe", detail: ["status": "200"]), Self.entry("DELETE", by: "joe", outcome: .refused),
                Self.entry("PATCH", by: nil, outcome: .failed),
            ]
            let log = AuditLog(store: store)
            for entry in entries { try await log.record(entry) }
            let all = try await store.audit(AuditQuery())
            #expect(all.map(\.entry) == entries.reversed())
            #expect(try await store.audit(AuditQuery(account: "joe", action: "DELETE")).map(\.entry) == [entries[1]])
            #expect(try await store.audit(AuditQuery(outcome: .failed)).map(\.entry) == [entries[2]])
            #expect(try await store.audit(AuditQuery(before: all[1].id, most: 1)).map(\.entry) == [entries[0]])
            #expect(try await store.audit(AuditQuery(since: all[0].time.addingTimeInterval(3600))).isEmpty)
        }
    }

    @Test("the entries of a token are found, and those of others are not")
    func ofToken() async throws {
        try await TestDatabase.with { database in
            let log = AuditLog(store: database.store)
            var entries: [AuditEntry] = []
            for _ in 1...2 {
                let new = NewToken(owner: try AccountName("osbs"), note: "CI", scopes: [.newCompose], life: nil)
                let id = try await database.store.createToken(new, by: AuditSender()).token.id
                entries.append(AuditEntry("POST", of: "compose 1", by: AuditSender(account: "osbs", provider: "tokens", token: id)))
            }
            for entry in entries { try await log.record(entry) }
            let token = try #require(entries[0].sender.token)
            #expect(try await database.store.audit(AuditQuery(token: token)).map(\.entry) == [entries[0]])
            #expect(try await database.store.audit(AuditQuery(token: "0000000000")).isEmpty)
        }
    }

    @Test("entries that arrive at the same time are all written")
    func concurrent() async throws {
        try await TestDatabase.with { database in
            let log = AuditLog(store: database.store)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 { group.addTask { try await log.record(Self.entry("POST", by: "account\(number)")) } }
                try await group.waitForAll()
            }
            let accounts = try await database.store.audit(AuditQuery()).map(\.entry.sender.account)
            #expect(Set(accounts).count == 100)
        }
    }

    @Test("the entry of a new compose is stored with it and names it, also if many are submitted at once, some without an entry")
    func submissions() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let ids = try await withThrowingTaskGroup(of: (String, Int).self, returning: [String: Int].self) { group in
                for number in 0..<40 {
                    let account = "account\(number)"
                    let audit = number.isMultiple(of: 4) ? nil : AuditEntry("POST", by: AuditSender(account: account))
                    group.addTask {
                        let request = ComposeRequest.tag(from: "t\(number)")
                        return (account, try await store.submit(request, owner: account, audit: audit).id)
                    }
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            let entries = try await store.audit(AuditQuery()).map(\.entry)
            #expect(entries.count == 30)
            for entry in entries { #expect(entry.object == ids[entry.sender.account ?? ""].map { "compose \($0)" }) }
        }
    }

    @Test("a text from outside is shown without characters that could change a terminal")
    func foreignText() async throws {
        try await TestDatabase.with { database in
            try await AuditLog(store: database.store).record(
                AuditEntry("POST", of: "a\u{1B}[2Jb\nc", by: AuditSender(), detail: ["note": "x\u{202E}y"]))
            let entry = try #require(try await database.store.audit(AuditQuery()).first?.entry)
            let text = (entry.object ?? "") + (entry.detail["note"] ?? "")
            #expect(!text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
        }
    }

    @Test("old entries are forgotten, in as many steps as it takes")
    func forgotten() async throws {
        try await TestDatabase.with { database in
            for _ in 1...6 { try await AuditLog(store: database.store).record(Self.entry("POST", by: "joe")) }
            _ = try await database.pool.query(
                "UPDATE audit SET created_at = now() - interval '401 days' WHERE id <> (SELECT max(id) FROM audit)")
            #expect(try await database.store.forgetAudit(olderThan: .seconds(400 * 86_400), atOnce: 2) == 5)
            #expect(try await database.store.audit(AuditQuery()).count == 1)
        }
    }
}
