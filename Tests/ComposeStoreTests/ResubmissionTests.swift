import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// A request that comes twice.
@Suite struct ResubmissionTests {
    private func stored(_ database: TestDatabase) async throws -> Int { try await database.store.list(ComposeQuery()).total }

    @Test("a request that comes again with its key is answered with its first compose, whatever became of that")
    func sameKey() async throws {
        try await TestDatabase.with { database in
            let first = try await database.store.submit(.repo(), owner: "me", unless: .key("k"))
            #expect(try await database.store.submit(.repo(), owner: "me", unless: .key("k")).id == first.id)
            _ = try await database.store.delete(first.id, by: Actor(name: "me", isAdmin: false))
            let again = try await database.store.submit(.repo(), owner: "me", unless: .key("k"))
            #expect(again.id == first.id)
            #expect(again.state == .failed)
            #expect(try await stored(database) == 1)
        }
    }

    @Test("a key belongs to one owner, and to one request")
    func otherOwnerOtherRequest() async throws {
        try await TestDatabase.with { database in
            let first = try await database.store.submit(.repo(["ed"]), owner: "me", unless: .key("k"))
            let others = try await database.store.submit(.repo(["sed"]), owner: "you", unless: .key("k"))
            #expect(others.id != first.id)
            await #expect(throws: ResubmissionKeyTaken(key: "k", compose: first.id)) {
                _ = try await database.store.submit(.repo(["sed"]), owner: "me", unless: .key("k"))
            }
            #expect(try await stored(database) == 2)
        }
    }

    @Test("of many equal requests with one key at the same time one becomes a compose", arguments: [true, false])
    func concurrent(withKey: Bool) async throws {
        try await TestDatabase.with(size: 10) { database in
            let resubmission: Resubmission = withKey ? .key("k") : .sameRequest(within: .seconds(3600))
            let ids = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await database.store.submit(.repo(), owner: "me", unless: resubmission).id }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(ids.count == 1)
            #expect(try await stored(database) == 1)
        }
    }

    @Test("within the window an equal request of the same owner is the first one, unless its compose failed or the window is over")
    func sameRequest() async throws {
        try await TestDatabase.with { database in
            let hour = Resubmission.sameRequest(within: .seconds(3600))
            func submit(_ request: ComposeRequest, _ owner: String) async throws -> Int {
                try await database.store.submit(request, owner: owner, unless: hour).id
            }
            let first = try await submit(.repo(), "me")
            #expect(try await submit(.repo(), "me") == first)
            #expect(try await submit(.repo(), "you") != first)
            #expect(try await submit(.repo(["sed"]), "me") != first)

            _ = try await database.store.delete(first, by: Actor(name: "me", isAdmin: false))
            let second = try await submit(.repo(), "me")
            #expect(second != first)
            _ = try await database.pool.query("UPDATE submissions SET created_at = now() - interval '2 hours'")
            #expect(try await submit(.repo(), "me") != second)
        }
    }

    @Test("requests without key and window are composes of their own, even equal ones")
    func plain() async throws {
        try await TestDatabase.with { database in
            _ = try await database.store.submit(.repo(), owner: "me")
            _ = try await database.store.submit(.repo(), owner: "me")
            #expect(try await stored(database) == 2)
            #expect(try await database.store.forgetSubmissions(olderThan: .zero) == 0)
        }
    }

    @Test("a failed compose that is renewed twice with one key is made once more, and another one with that key is refused")
    func renewal() async throws {
        try await TestDatabase.with { database in
            let failed = try await database.store.submit(.repo(), owner: "me")
            let other = try await database.store.submit(.repo(), owner: "me")
            for id in [failed.id, other.id] { _ = try await database.store.delete(id, by: Actor(name: "me", isAdmin: false)) }
            func renew(_ id: Int) async throws -> Int? {
                guard case .created(let compose) = try await database.store.renew(id, Renewal(), owner: "me", unless: .key("k")) else {
                    return nil
                }
                return compose.id
            }
            let new = try #require(try await renew(failed.id))
            #expect(try await renew(failed.id) == new)
            await #expect(throws: ResubmissionKeyTaken(key: "k", compose: new)) { _ = try await renew(other.id) }
        }
    }

    @Test("old requests are forgotten, young ones are not")
    func forgotten() async throws {
        try await TestDatabase.with { database in
            let old = try await database.store.submit(.repo(), owner: "me", unless: .key("old"))
            let young = try await database.store.submit(.repo(), owner: "me", unless: .key("young"))
            _ = try await database.pool.query(
                "UPDATE submissions SET created_at = now() - interval '25 hours' WHERE compose_id = \(old.id)")
            #expect(try await database.store.forgetSubmissions(olderThan: .seconds(24 * 3600)) == 1)
            #expect(try await database.store.submit(.repo(), owner: "me", unless: .key("young")).id == young.id)
            #expect(try await database.store.submit(.repo(), owner: "me", unless: .key("old")).id != old.id)
        }
    }
}
