import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// The pages for people.
@Suite struct PageTests {
    @Test("no template uses a value that is not escaped")
    func escaping() {
        for (name, source) in PageTemplates.sources {
            var text = String(decoding: source, as: UTF8.self)
            // `WhyGraph` escapes the texts of its drawing itself.
            if name == "why" { text.replace("{{{drawing}}}", with: "") }
            #expect(!text.contains("{{{") && !text.contains("{{&"), "\(name)")
            #expect(!text.contains(" style=") && !text.contains(" onclick="), "\(name) has a style or a script of its own")
        }
    }

    @Test("a page of a log begins with the highest line that there can be for any larger number")
    func lines() async throws {
        try await FrontendFixture.with { frontend in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            try frontend.write("a line\nanother line\n", to: ".logs/odcs-1.log")
            let page = try await frontend.get("/compose/1/log?line=\(Int.max)", headers: [.accept: "text/html"])
            #expect(page.status == 200 && page.text.contains("another line"), "\(page.text)")
        }
    }

    @Test("the script has at most 6 KB")
    func script() { #expect(PageAssets.all.script.content.count <= 6 << 10) }

    @Test("style and script are kept for ever under a name that their content makes")
    func assets() async throws {
        try await FrontendFixture.with { frontend in
            let page = try await frontend.get("/").text
            for asset in [PageAssets.all.style, PageAssets.all.script, PageAssets.all.icon] {
                #expect(page.contains("\"/static/\(asset.name)\""))
                let answer = try await frontend.get("/static/\(asset.name)")
                #expect(answer.status == 200)
                #expect(answer.headers[.cacheControl] == "public, max-age=31536000, immutable")
                #expect(answer.headers[.contentType] == asset.mediaType)
            }
            #expect(try await frontend.get("/static/odcs-0000000000000000.css").status == 404)
        }
    }

    @Test("a page may load nothing from elsewhere, and be shown in no frame")
    func policy() async throws {
        try await FrontendFixture.with { frontend in
            for path in ["/", "/compose", "/no/such/page"] {
                let answer = try await frontend.get(path, headers: [.accept: "text/html"])
                let policy = try #require(answer.headers[.contentSecurityPolicy])
                #expect(policy.hasPrefix("default-src 'none'; ") && policy.contains("script-src 'self'; "))
                #expect(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"))
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
            }
        }
    }

    @Test("the page of a failed compose shows the failure and its findings before anything else")
    func failure() async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            let id = try await store.submit(.repo(), owner: "joe").id
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            let failure = ComposeFailure(
                .packageNotFound, "The source has no package libfoo.",
                details: [.init(package: "libfoo", arch: "x86_64", nearest: ["libfoo2"])])
            _ = try await store.fail(lease, with: failure, retries: RetryPolicy(attempts: 1))
            let page = try await frontend.get("/compose/\(id)").text
            let places = try ["Why it failed", "libfoo2", "What to do", "What was asked", "id=\"log-title\""].map {
                try #require(page.range(of: $0)?.lowerBound, "\($0)")
            }
            #expect(places == places.sorted())
            #expect(!page.contains("<script>"))
        }
    }

    @Test("texts of others are escaped, and invisible characters are shown as their code point")
    func hostile() async throws {
        try await FrontendFixture.with { frontend in
            let names = ["<img src=x>", "\"'&", "ed\u{202E}gnp", String(repeating: "a", count: 500_000)]
            let id = try await frontend.database.store.submit(.repo(names), owner: "<b>joe</b>").id
            for path in ["/compose/\(id)", "/compose", "/queue", "/"] {
                let page = try await frontend.get(path).text
                #expect(!page.contains("<img src=x>") && !page.contains("<b>joe") && !page.contains("\u{202E}"), "\(path)")
                #expect(page.contains("&lt;b&gt;joe&lt;/b&gt;"), "\(path)")
                #expect(page.utf8.count < 100_000, "\(path)")
            }
            #expect(try await frontend.get("/compose/\(id)").text.contains("<bdi>edU+202Egnp</bdi>"))
        }
    }

    @Test("a search leads to a compose by its number, and lists others by owner, source and package")
    func search() async throws {
        try await FrontendFixture.with { frontend in
            let id = try await frontend.database.store.submit(.repo(["ed"]), owner: "joe").id
            for text in ["\(id)", "odcs-\(id)", "%20\(id)%20"] {
                let answer = try await frontend.get("/search?q=\(text)")
                #expect(answer.status == 303 && answer.headers[.location] == "/compose/\(id)")
            }
            for text in ["joe", "ed", "%2Fsrv%2Frepo"] {
                #expect(try await frontend.get("/search?q=\(text)").text.contains("href=\"/compose/\(id)\""), "\(text)")
            }
            #expect(try await frontend.get("/search?q=nobody").text.contains("No compose matches."))
        }
    }

    @Test("a search for packages counts all composes that it finds, on each page of the list, and leaves private ones out")
    func packages() async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            for number in 0..<5 { _ = try await store.submit(.repo(number == 2 ? ["vi"] : ["ed", "libed"]), owner: "joe") }
            var query = ComposeQuery()
            query.perPage = 3
            query.packages = ["ed", "nano"]
            for (page, ids) in [(1, [5, 4, 2]), (2, [1]), (3, [])] {
                query.page = page
                let found = try await store.list(query)
                #expect(found.items.map(\.id) == ids && found.total == 4)
            }
            query.packages = ["e"]
            #expect(try await store.list(query).total == 0)
            (query.packages, query.page, query.hiddenTargets) = (["ed"], 1, ["default"])
            #expect(try await store.list(query).total == 0)
        }
    }

    @Test("work that costs much has a number of places, and a place is free again after the work, also after one that failed")
    func places() async throws {
        let places = Places(most: 1, "Other people are searching")
        let refusal = try await #require(throws: RequestRejection.self) { try await places.with { try await places.with {} } }
        #expect(refusal.status == .serviceUnavailable && refusal.message == "Other people are searching. Try again in a moment.")
        #expect(try await places.with { 7 } == 7)
    }

    @Test("a list keeps its filters in the links to its other pages")
    func pager() async throws {
        try await FrontendFixture.with { frontend in
            for _ in 0..<31 { _ = try await frontend.database.store.submit(.repo(), owner: "joe") }
            let page = try await frontend.get("/compose?owner=joe&state=wait").text
            #expect(page.contains("href=\"/compose?owner=joe&amp;state=wait&amp;page=2\""))
            #expect(page.contains("31 composes, page 1 of 2"))
            #expect(try await frontend.get("/compose?state=nonsense").status == 400)
        }
    }

    @Test("all links are below the path of the public address")
    func prefix() async throws {
        try await FrontendFixture.with(configure: { $0.serverURL = "https://odcs.example.com/below" }) { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "joe").id
            for path in ["/", "/queue", "/compose", "/compose/\(id)", "/watches", "/diff", "/composes"] {
                let page = try await frontend.get(path).text
                for link in page.matches(of: /(?:href|src|action|data-events)="([^"]*)"/).map({ String($0.1) }) {
                    #expect(
                        link.hasPrefix("/below/") || link.hasPrefix("https://odcs.example.com/below/") || link.hasPrefix("#"),
                        "\(path) has \(link)")
                }
            }
        }
    }

    @Test("the composes of a private target are on no page for others")
    func privateTarget() async throws {
        try await FrontendFixture.with(configure: {
            $0.targets["secret"] = $0.targets["default"].map { .init(path: $0.path, url: "/composes-secret") }
            $0.access = RouteIdentityTests.access(asks: true)
        }) { frontend in
            var request = ComposeRequest.repo(["hidden-package"])
            request.targetDir = "secret"
            let id = try await frontend.database.store.submit(request, owner: "owner").id
            for path in ["/", "/queue", "/compose", "/search?q=hidden-package", "/compose/\(id)"] {
                #expect(!(try await frontend.get(path).text.contains("<bdi>hidden-package</bdi>")), "\(path)")
            }
            #expect(try await frontend.by("owner").get("/compose/\(id)").text.contains("hidden-package"))
        }
    }
}
