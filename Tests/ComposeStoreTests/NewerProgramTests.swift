import ComposeModel
import ComposeStore
import ComposeTestKit
import Postgres
import Testing

/// Work that a worker of an older program would do wrongly, during an upgrade.
@Suite struct NewerProgramTests {
    /// Returns the store of a program that announces `version` of the schema, or none.
    private func store(_ version: Int?, of database: TestDatabase) -> ComposeStore {
        var configuration = database.configuration
        configuration.settings = version.map { ["odcs.schema_version": "\($0)"] } ?? [:]
        return ComposeStore(pool: PostgresPool(configuration: configuration, logger: .silent))
    }

    @Test("a worker of an older program takes composes, but none of a lock file", arguments: [nil, 31])
    func locks(version: Int?) async throws {
        try await TestDatabase.with { database in
            let old = store(version, of: database)
            let plain = try await database.store.submit(.repo(), owner: "me")
            #expect(try await old.claim(by: "old", for: .seconds(60))?.compose.id == plain.id)
            var request = ComposeRequest.repo()
            request.lock = String(repeating: "0", count: 64)
            let locked = try await database.store.submit(request, owner: "me")
            #expect(try await old.claim(by: "old", for: .seconds(60)) == nil)
            #expect(try await database.store.compose(locked.id)?.state == .wait)
            #expect(try await store(33, of: database).claim(by: "new", for: .seconds(60))?.compose.id == locked.id)
        }
    }

    @Test("a worker of an older program takes dry runs, but no questions why a package is absent")
    func questions() async throws {
        try await TestDatabase.with { database in
            let old = store(nil, of: database)
            let dryRun = try await database.store.ask(.dryRun, of: .repo(), for: .seconds(60))
            #expect(try await old.takeQuestion(for: .seconds(60))?.id == dryRun)
            let absence = try await database.store.ask(.absence(compose: 1, package: "ed-doc"), of: .repo(), for: .seconds(60))
            #expect(try await old.takeQuestion(for: .seconds(60)) == nil)
            #expect(try await database.store.progress(of: absence) == .waiting)
            let question = try #require(try await database.store.takeQuestion(for: .seconds(60)))
            #expect(question.id == absence && question.subject == .absence(compose: 1, package: "ed-doc"))
            #expect(try await database.store.progress(of: absence) == .taken)
            try await database.store.answer(question, with: "{}")
            #expect(try await database.store.progress(of: absence) == .answered("{}"))
        }
    }
}
