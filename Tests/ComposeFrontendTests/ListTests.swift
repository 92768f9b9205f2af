import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Testing

@testable import ComposeFrontend

@Suite struct ListTests {
    private static func fill(_ frontend: FrontendFixture, count: Int) async throws {
        for number in 1...count {
            _ = try await frontend.database.store.submit(
                .repo(from: "/srv/\(number % 2 == 0 ? "even" : "odd")"), owner: number % 3 == 0 ? "a&b" : "me")
        }
    }

    private static func ids(_ answer: Answer) throws -> [Int] {
        guard case .array(let items)? = try answer.json["items"] else { return [] }
        return items.compactMap { $0["id"]?.integer }
    }

    @Test("pages link to each other, the newest compose first")
    func pages() async throws {
        try await FrontendFixture.with { frontend in
            try await Self.fill(frontend, count: 25)
            let base = "https://odcs.example.com/api/1/composes/"
            let second = try await frontend.get("/api/1/composes/?page=2")
            #expect(second.status == 200)
            #expect(try Self.ids(second) == Array((6...15).reversed()))
            #expect(
                try second.json["meta"]
                    == .object([
                        "page": .integer(2), "pages": .integer(3), "per_page": .integer(10), "total": .integer(25),
                        "first": .string(base + "?page=1&per_page=10"), "last": .string(base + "?page=3&per_page=10"),
                        "prev": .string(base + "?page=1&per_page=10"), "next": .string(base + "?page=3&per_page=10"),
                    ]))
            let first = try #require(try await frontend.get("/api/1/composes").json["meta"])
            #expect(first["prev"] == .null)
            #expect(first["next"] == .string(base + "?page=2&per_page=10"))
            let last = try await frontend.get("/api/1/composes/?page=3")
            #expect(try Self.ids(last) == [5, 4, 3, 2, 1])
            #expect(try last.json["meta"]?["next"] == .null)
        }
    }

    @Test("a page past the end is empty, and so is a list of nothing")
    func pastTheEnd() async throws {
        try await FrontendFixture.with { frontend in
            let nothing = try await frontend.get("/api/1/composes/")
            #expect(try nothing.json["items"] == .array([]))
            #expect(try nothing.json["meta"]?["pages"] == .integer(0))
            try await Self.fill(frontend, count: 3)
            for page in ["2", "9223372036854775807"] {
                let answer = try await frontend.get("/api/1/composes/?page=\(page)&per_page=5")
                #expect(answer.status == 200)
                #expect(try answer.json["items"] == .array([]))
                #expect(
                    try answer.json["meta"]?["prev"] == .string("https://odcs.example.com/api/1/composes/?page=1&per_page=5"))
                #expect(try answer.json["meta"]?["next"] == .null)
            }
        }
    }

    @Test("filters narrow the list, several values of one are alternatives, and links keep them")
    func filters() async throws {
        try await FrontendFixture.with { frontend in
            try await Self.fill(frontend, count: 6)
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?owner=a%26b")) == [6, 3])
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?owner=a%26b&owner=me&source=%20/srv/odd")) == [5, 3, 1])
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?state=done")) == [])
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?state=0&source_type=repo&unknown=x&label=")).count == 6)
            let answer = try await frontend.get("/api/1/composes/?owner=a%26b&per_page=1&order_by=id")
            #expect(
                try answer.json["meta"]?["next"]
                    == .string("https://odcs.example.com/api/1/composes/?owner=a%26b&order_by=id&page=2&per_page=1"))
        }
    }

    @Test("the list can be ordered, either way")
    func order() async throws {
        try await FrontendFixture.with { frontend in
            try await Self.fill(frontend, count: 4)
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?order_by=id")) == [1, 2, 3, 4])
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?order_by=-owner&order_by=id")) == [1, 2, 4, 3])
            #expect(try Self.ids(try await frontend.get("/api/1/composes/?order_by=-time_submitted")) == [4, 3, 2, 1])
        }
    }

    @Test("a page has no more composes than the server allows")
    func longPage() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.get("/api/1/composes/?per_page=1000")
            #expect(try answer.json["meta"]?["per_page"] == .integer(50))
        }
    }
}
