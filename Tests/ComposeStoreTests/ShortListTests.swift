import ComposeModel
import ComposeTestKit
import Testing

@testable import ComposeStore

/// Lists of what is long.
@Suite struct ShortListTests {
    private let names = (0..<10_000).map { "package-\($0)" }

    @Test("a list has the first words of a long request, and the compose itself has all")
    func words() async throws {
        try await TestDatabase.with { database in
            let compose = try await database.store.submit(.repo(names), owner: "me")
            let item = try #require(try await database.store.list(ComposeQuery()).items.first)
            #expect(item.request.packages.last == "…")
            #expect(item.request.packages.dropLast().elementsEqual(names.prefix(item.request.packages.count - 1)))
            #expect((1000...2100).contains(item.request.packages.joined(separator: " ").utf8.count))
            #expect(item.request.source == compose.request.source)
            #expect(try await database.store.compose(compose.id)?.request.packages == names)
        }
    }

    @Test("a short request is in the list as it is")
    func short() async throws {
        try await TestDatabase.with { database in
            let compose = try await database.store.submit(.repo(["ed", "sed"]), owner: "me")
            #expect(try await database.store.list(ComposeQuery()).items == [compose])
        }
    }

    @Test("a list has the beginning of a long reason, without the details of the failure")
    func reason() async throws {
        try await TestDatabase.with { database in
            let compose = try await database.store.submit(.repo(), owner: "me")
            let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
            let failure = ComposeFailure(
                .packageNotFound, String(repeating: "ä", count: 5000), details: names.map { .init(package: $0) })
            _ = try await database.store.fail(lease, with: failure, retries: RetryPolicy())
            let item = try #require(try await database.store.list(ComposeQuery()).items.first)
            #expect(item.stateReason == String(repeating: "ä", count: 500) + "…")
            #expect(item.failure == ComposeFailure(.packageNotFound, String(repeating: "ä", count: 500) + "…"))
            #expect(try await database.store.compose(compose.id)?.failure == failure.bounded)
        }
    }

    @Test("a source of any length is stored, and found by its filter")
    func longSource() async throws {
        try await TestDatabase.with { database in
            var request = ComposeRequest.repo()
            request.source = (0..<1000).map { "https://example.com/\($0)/" + String(repeating: "x", count: 900) }
            let compose = try await database.store.submit(request, owner: "me")
            _ = try await database.store.submit(.repo(), owner: "me")
            var query = ComposeQuery()
            query.sources = [request.source.joined(separator: " ")]
            let found = try await database.store.list(query)
            #expect(found.items.map(\.id) == [compose.id])
            let item = try #require(found.items.first)
            #expect(item.source.utf8.count < 600)
        }
    }

    @Test("a list of watches has the first words of a long request")
    func watches() async throws {
        try await TestDatabase.with { database in
            let watch = try await database.store.standingWatch(owner: "me", request: .tag(names))
            #expect(try await database.store.watches().items.first?.request.packages.last == "…")
            #expect(try await database.store.watch(watch.id)?.request.packages == names)
        }
    }
}
