import ComposeModel
import ComposeStore
import ComposeTestKit
import ForeignText
import Foundation
import Logging
import NIOCore
import Postgres
import Retries
import Synchronization
import Testing

@testable import ComposeFrontend

/// What is kept of answers is never older than the database.
@Suite(.timeLimit(.minutes(5))) struct KeptAnswersTests {
    /// A frontend's answers, with a connection of its own for changes.
    private final class Side: Sendable {
        let store: ComposeStore
        let listener: PostgresListener
        let answers: KeptAnswers
        private let makings = Mutex(0)

        init(_ database: TestDatabase, name: String) {
            store = database.store
            var configuration = database.configuration
            configuration.applicationName = name
            listener = PostgresListener(
                configuration: configuration, channels: ComposeChanges.channels(schema: database.schema),
                backoff: Backoff(first: .milliseconds(1), longest: .seconds(15)), logger: .silent)
            answers = KeptAnswers(changes: ComposeChanges(listener: listener, schema: database.schema))
        }

        /// How many answers were made.
        var made: Int { makings.withLock(\.self) }

        func compose(_ id: Int) async throws -> String {
            try await answer(.compose(id)) {
                let compose = try #require(try await store.compose(id))
                return .init(body: ByteBuffer(string: Self.text(compose)), result: compose.resultOf)
            }
        }

        func list() async throws -> String {
            try await answer(.list(ByteText("/?"))) { .init(body: ByteBuffer(string: Self.text(try await store.list(ComposeQuery())))) }
        }

        /// The same without anything kept.
        func newCompose(_ id: Int) async throws -> String { Self.text(try #require(try await store.compose(id))) }
        func newList() async throws -> String { Self.text(try await store.list(ComposeQuery())) }

        private func answer(_ subject: KeptAnswers.Subject, _ make: () async throws -> KeptAnswers.Answer) async throws -> String {
            let answer = try await answers.answer(about: subject, base: "http://h") {
                makings.withLock { $0 += 1 }
                return try await make()
            }
            return String(buffer: answer.body)
        }

        private static func text(_ page: ComposePage) -> String { "\(page.total) " + page.items.map(text).joined(separator: ",") }

        private static func text(_ compose: Compose) -> String {
            String(buffer: ByteBuffer(json: { ComposeDocument(compose, targetURL: "http://h").write(to: &$0) }))
        }
    }

    /// The lease of the last claim.
    private final class Held: Sendable {
        private let last = Mutex<ComposeLease?>(nil)

        var lease: ComposeLease? {
            get { last.withLock(\.self) }
            set { last.withLock { $0 = newValue } }
        }

        var required: ComposeLease {
            get throws { try #require(lease) }
        }
    }

    private let admin = Actor(name: "root", isAdmin: true)
    private let request = ComposeRequest.repo()

    /// Runs `body` with two frontends that listen.
    private func with(_ body: (TestDatabase, Side, Side, _ names: [String]) async throws -> Void) async throws {
        try await TestDatabase.with { database in
            let names = ["\(UUID())", "\(UUID())"]
            let sides = names.map { Side(database, name: $0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for side in sides { group.addTask { try await side.listener.run() } }
                defer { group.cancelAll() }
                for side in sides { await listens(side, database) }
                try await body(database, sides[0], sides[1], names)
            }
        }
    }

    private func listens(_ side: Side, _ database: TestDatabase) async {
        var notifications = side.listener.notifications(on: database.schema).makeAsyncIterator()
        _ = await notifications.next()
        // After the first question, the side knows the position of the last event.
        #expect(await side.listener.catchUp())
    }

    /// The changes of two composes, in an order that is possible. Each of them ends with its commit.
    private var changes: [(String, @Sendable (ComposeStore) async throws -> Void)] {
        let request = request
        let admin = admin
        let held = Held()
        @Sendable func claim(_ store: ComposeStore) async throws {
            held.lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
        }
        @Sendable func pin(_ store: ComposeStore, at source: String) async throws {
            _ = try await store.settle(try held.required, as: .pinned(request, at: "sha256:01"), source: source, reason: { _ in "same" })
        }
        return [
            ("submitted", { _ = try await $0.submit(request, owner: "me") }),
            ("claimed", claim),
            ("given back", { _ = try await $0.release(try held.required, because: "stops") }),
            ("claimed again", claim),
            ("refused", { _ = try await $0.refuse(try held.required, by: "w2", reason: "cannot") }),
            ("claimed once more", claim),
            ("pinned", { try await pin($0, at: "/srv/other") }),
            ("done", { _ = try await $0.finish(try held.required, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in } }),
            ("renewed", { _ = try await $0.renew(1, Renewal(secondsToLive: 9000), owner: "me") }),
            ("another one submitted", { _ = try await $0.submit(request, owner: "you") }),
            ("the other one claimed", claim),
            ("reused", { try await pin($0, at: "/srv/other") }),
            ("both renewed", { _ = try await $0.renew(2, Renewal(secondsToLive: 90_000), owner: "you") }),
            ("deleted", { _ = try await $0.delete(1, by: admin) }),
            ("removed", { _ = try await $0.expire(limit: 10) }),
            ("renewed as a new one", { _ = try await $0.renew(1, Renewal(secondsToLive: 10), owner: "me") }),
            ("canceled", { _ = try await $0.delete(3, by: admin) }),
        ]
    }

    @Test("after each change, both frontends show it, although they keep what they showed before")
    func eachChange() async throws {
        try await with { database, one, other, _ in
            for (name, change) in changes {
                try await change(database.store)
                for side in [one, other] {
                    #expect(try await side.list() == side.newList(), "\(name)")
                    for id in 1...(try await database.store.list(ComposeQuery()).total) {
                        #expect(try await side.compose(id) == side.newCompose(id), "\(name): compose \(id)")
                    }
                }
                // Now the change has a position.
                try await database.store.sequenceEvents()
                for side in [one, other] {
                    #expect(await side.listener.catchUp())
                    #expect(try await side.list() == side.newList(), "\(name)")
                    #expect(try await side.compose(1) == side.newCompose(1), "\(name)")
                    let made = side.made
                    _ = (try await side.list(), try await side.compose(1))
                    #expect(side.made == made, "\(name): kept")
                }
            }
        }
    }

    @Test("a change leaves the answers about other composes")
    func others() async throws {
        try await with { database, one, _, _ in
            for owner in ["me", "you"] { _ = try await database.store.submit(request, owner: owner) }
            try await database.store.sequenceEvents()
            #expect(await one.listener.catchUp())
            _ = (try await one.compose(1), try await one.compose(2))
            _ = try await database.store.delete(2, by: admin)
            let made = one.made
            _ = try await one.compose(1)
            #expect(one.made == made)
            #expect(try await one.compose(2) == one.newCompose(2))
        }
    }

    @Test("after more events than are looked at one by one, every answer is made anew")
    func manyEvents() async throws {
        try await with { database, one, _, _ in
            let id = try await database.store.submit(request, owner: "me").id
            try await database.store.sequenceEvents()
            #expect(await one.listener.catchUp())
            for (events, isMade) in [(1000, false), (1001, true)] {
                _ = try await one.compose(id)
                let made = one.made
                _ = try await database.pool.query("UPDATE event_clock SET position = position + \(Int64(events))")
                _ = try await one.compose(id)
                #expect((one.made > made) == isMade, "\(events)")
            }
        }
    }

    @Test("an answer that a change overtakes while it is made is not kept")
    func overtaken() async throws {
        try await with { database, one, _, _ in
            let id = try await database.store.submit(request, owner: "me").id
            let old = try await one.answers.answer(about: .compose(id), base: "http://h") {
                let old = try await one.newCompose(id)
                _ = try await database.store.delete(id, by: admin)
                #expect(await one.listener.catchUp())
                return .init(body: ByteBuffer(string: old))
            }
            #expect(String(buffer: old.body).contains(#""state_name":"wait""#))
            #expect(try await one.compose(id) == one.newCompose(id))
        }
    }

    @Test("without a connection for changes every answer is made anew, and none from before is shown afterwards")
    func lostConnection() async throws {
        try await with { database, one, _, names in
            let id = try await database.store.submit(request, owner: "me").id
            for _ in 1...20 {
                _ = try await one.compose(id)
                let rows = try await database.pool.query(
                    "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity WHERE application_name = \(names[0])")
                #expect(rows.count <= 1)
                _ = try await database.pool.query("UPDATE composes SET koji_event = coalesce(koji_event, 0) + 1")
                #expect(try await one.compose(id) == one.newCompose(id))
                await listens(one, database)
                #expect(try await one.compose(id) == one.newCompose(id))
            }
        }
    }

    @Test("an answer with other addresses, one whose time is over and one that is too long are made anew")
    func notKept() async throws {
        try await with { _, one, _, _ in
            /// Whether an answer about compose 1 is made, and not taken from what is kept.
            func isMade(_ base: String, _ answer: KeptAnswers.Answer) async throws -> Bool {
                let isMade = Mutex(false)
                _ = try await one.answers.answer(about: .compose(1), base: base) {
                    isMade.withLock { $0 = true }
                    return answer
                }
                return isMade.withLock(\.self)
            }
            let answer = KeptAnswers.Answer(body: ByteBuffer(string: "{}"))
            let first = try await isMade("http://a", answer)
            #expect(first)
            #expect(try await !isMade("http://a", answer))
            #expect(try await isMade("http://b", answer))
            #expect(try await isMade("http://a", .init(body: answer.body, end: .now)))
            #expect(try await isMade("http://a", .init(body: ByteBuffer(repeating: 0x20, count: 1 << 20))))
            #expect(try await isMade("http://a", answer))
        }
    }
}
