import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Testing

@testable import ComposeFrontend

/// The packages of a compose on its pages.
@Suite struct PackagePageTests {
    /// A frontend with compose 1, whose list has `count` packages.
    static func with(packages count: Int, _ body: @escaping @Sendable (FrontendFixture) async throws -> Void) async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            _ = try await store.submit(.repo(), owner: "joe")
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            _ = try await store.settle(lease, as: .pinned(.repo()), source: "/srv/repo", reason: { _ in "" })
            _ = try await store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: count, bytes: 1, reason: "Done.") { _ in }
            try frontend.write(list(of: count), to: "odcs-1/compose.lock.json")
            try await body(frontend)
        }
    }

    private static func list(of count: Int) -> String {
        let head = """
            {
            "version":1,
            "request":{"packages":["ed"],"arches":["x86_64"],"flags":[],"multilib_arches":[],"multilib_method":[],"sigkeys":[]},
            "sources":[{"location":"/srv/repo","lookaside":false,"repomd":"sha256:1"}],
            "absent":[{"pattern":"libfoo","arches":["x86_64"],"isNowhere":true,"nearest":["libfoo2"],"hidden":[],"unnameable":[]}],
            "missing":[],
            "problems":[],
            "overruled":[],
            "packages":[

            """
        let lines = (0..<count).map { number in
            let tree = number.isMultiple(of: 2) ? "x86_64" : "aarch64"
            let why =
                number == 0
                ? #""requested by ed","reason":{"requested":{"by":"ed"}}"#
                : #""required by pkg-0-1-1.x86_64 (x)","reason":{"requiredBy":{"package":{"name":"pkg-0","epoch":0,"version":"1","#
                    + #""release":"1","arch":"x86_64"},"requirement":"x"}}"#
            return #"{"nevra":"pkg-\#(number)-1-1.\#(tree)","why":\#(why),"checksum":"sha256:\#(number)","size":1000,"#
                + #""repomd":"sha256:1","location":"p.rpm","path":"\#(tree)/os/Packages/pkg-\#(number).rpm"}"#
        }
        return head + lines.joined(separator: ",\n") + "]}\n"
    }

    @Test("the page of a compose shows the first packages with their reasons, and what is absent")
    func first() async throws {
        try await Self.with(packages: 60) { frontend in
            let page = try await frontend.get("/compose/1").text
            #expect(page.contains("<bdi>pkg-0-1-1.x86_64</bdi>") && page.contains("<bdi>pkg-24-1-1.x86_64</bdi>"))
            #expect(!page.contains("pkg-25-"))
            #expect(page.contains("href=\"/compose/1/why?package=pkg-0\""))
            #expect(page.contains("<bdi>libfoo</bdi>") && page.contains("libfoo2"))
        }
    }

    @Test("all packages are reached from page to page")
    func pages() async throws {
        try await Self.with(packages: 250) { frontend in
            var (path, seen, pages) = ("/compose/1/packages", [String](), 0)
            while pages < 10 {
                let page = try await frontend.get(path).text
                seen += page.matches(of: /<bdi>(pkg-[0-9]+)-1-1/).map { String($0.1) }
                pages += 1
                guard let next = page.firstMatch(of: /rel="next" href="([^"]*)"/) else { break }
                path = String(next.1).replacing("&amp;", with: "&")
            }
            #expect(seen == (0..<250).map { "pkg-\($0)" })
            #expect(pages == 3)
        }
    }

    @Test(
        "packages are searched by a part of their name in any case, and by their tree",
        arguments: [("q=PKG-24", 11), ("q=pkg-24-1-1.x86_64", 1), ("q=nothing", 0), ("q=pkg-2&arch=aarch64", 30), ("arch=x86_64", 100)])
    func search(query: String, rows: Int) async throws {
        try await Self.with(packages: 250) { frontend in
            let page = try await frontend.get("/compose/1/packages?\(query)").text
            #expect(page.matches(of: /<bdi>pkg-[0-9]+-1-1/).count == rows)
        }
    }

    @Test("a place that is not the beginning of a line shows the packages that follow", arguments: [0, 1, 777, 1_000_000_000])
    func place(after: Int) async throws {
        try await Self.with(packages: 60) { frontend in
            let answer = try await frontend.get("/compose/1/packages?after=\(after)")
            #expect(answer.status == 200)
        }
    }

    @Test(
        "a list that is cut off or is none does not prevent the page",
        arguments: ["", "{", "{\"version\":1,\n\"packages\":[\n{\"nevra\":\"x", "null", "{\"packages\":[]}"])
    func damaged(text: String) async throws {
        try await Self.with(packages: 1) { frontend in
            try frontend.write(text, to: "odcs-1/compose.lock.json")
            #expect(try await frontend.get("/compose/1").status == 200)
        }
    }
}
