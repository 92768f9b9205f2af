import ComposeModel
import ComposeStore
import ComposeTestKit
import ForeignText
import HTTPTypes
import Testing

@testable import ComposeFrontend

/// How long an answer can be, how long a text, and for how long an answer holds.
@Suite(.timeLimit(.minutes(10))) struct LongAnswerTests {
    private static func combining(_ count: Int) -> String { String(repeating: "\u{0301}\u{0323}", count: count / 2) }

    @Test("a page of long requests has less than 8 MiB")
    func list() async throws {
        try await FrontendFixture.with(configure: { $0.perPage = (10, 100) }) { frontend async throws in
            // Quotes are written with two characters in JSON.
            var request = ComposeRequest.repo((0..<5000).map { "\"\($0)\"-" + String(repeating: "\"", count: 90) })
            request.source = (0..<500).map { "/srv/\($0)/" + String(repeating: "ä", count: 200) }
            request.lookasideRepos = request.source
            request.parentPungiComposeIDs = request.source
            for _ in 0..<20 { _ = try await frontend.database.store.submit(request, owner: "me") }
            let list = try await frontend.get("/api/1/composes/?per_page=100")
            #expect(list.text.utf8.count < 8 << 20)
            #expect(try list.json["items"]?.count == 20)
            let packages = try #require(try list.json["items"]?[0]?["packages"]?.string)
            #expect(packages.hasSuffix(" …"))
            let all = try await frontend.get("/api/1/composes/1")
            #expect(try all.json["packages"]?.string == request.packages.joined(separator: " "))
        }
    }

    @Test(
        "texts that take very long to compare are refused, wherever they are",
        arguments: [
            #"{"a\#(combining(60_000))": 1}"#, #"{"source": {"type": "repo", "source": "/srv/repo", "a\#(combining(60_000))": 1}}"#,
            #"{"source": {"type": "repo", "source": "/srv/repo", "packages": ["a\#(combining(1000))"]}}"#,
            #"{"source": {"type": "repo", "source": "/srv/repo"}, "x": "a\#(combining(60_000))"}"#,
            #"{"source": {"type": "repo", "source": "/srv/repo", "packages": ["a\#(String(repeating: #"\u0301"#, count: 40))"]}}"#,
        ])
    func marks(_ body: String) async throws {
        try await FrontendFixture.with { frontend in
            for method in [HTTPRequest.Method.post, .patch] {
                let path = method == .post ? "/api/1/composes/" : "/api/1/composes/1"
                let answer = try await frontend.request(method, path, body)
                #expect(answer.status == 400)
                let message = try #require(try answer.message)
                #expect(message.contains("combining marks") || message.contains("longer than 600 bytes"), "\(message)")
            }
        }
    }

    @Test("a query with such a text is refused, and a path with one leads nowhere")
    func markedQuery() async throws {
        try await FrontendFixture.with { frontend in
            let marks = String(repeating: "%CC%81%CC%A3", count: 1000)
            for query in ["a\(marks)=1", "owner=a\(marks)", "source=\(marks)"] {
                let answer = try await frontend.get("/api/1/composes/?\(query)")
                #expect(answer.status == 400)
                #expect(try answer.message == "The query has a text with more than 30 combining marks in a row, as no language has them.")
            }
            #expect(try await frontend.get("/composes/odcs-1/\(marks)").status == 404)
        }
    }

    @Test("names in languages with combining marks are taken")
    func languages() async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(
                #"{"source": {"type": "repo", "source": "/srv/repo", "packages": ["tiê\#u{0301}ng", "हिन्दी"]}}"#)
            #expect(answer.status == 200)
            #expect(try answer.json["packages"] == .string("tiê\u{0301}ng हिन्दी"))
        }
    }

    @Test("a label that no index takes is refused with its limit", arguments: ["RC-\(String(repeating: "1", count: 9000)).0"])
    func label(_ label: String) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}, "label": "\#(label)"}"#)
            #expect(answer.status == 400)
            #expect(
                try answer.message
                    == "label has 9005 characters; 100 are possible. It is a milestone and two numbers, such as RC-1.0.")
            #expect(try await frontend.request(.patch, "/api/1/composes/1", #"{"label": "\#(label)"}"#).status == 400)
        }
    }

    @Test("a source as long as a request allows is taken, and so is a filter by it")
    func source() async throws {
        try await FrontendFixture.with { frontend in
            let source = (0..<900).map { "/srv/\($0)/" + String(repeating: "x", count: 900) }.joined(separator: " ")
            #expect(try await frontend.post(#"{"source": {"type": "repo", "source": "\#(source)"}}"#).status == 200)
            let list = try await frontend.get("/api/1/composes/?source=" + source.prefix(50_000).percentEncoded)
            #expect(list.status == 200)
        }
    }

    @Test(
        "no cache may give an answer of earlier without asking",
        arguments: [
            "/", "/api/1/", "/api/1/composes/", "/api/1/composes/1", "/api/1/composes/2", "/api/1/metrics/", "/composes/", "/nothing",
        ])
    func caches(_ path: String) async throws {
        try await FrontendFixture.with { frontend in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            // Pages can differ between people.
            let rules = try #require(try await frontend.get(path).headers[.cacheControl])
            #expect(rules == (path.hasPrefix("/api/") || path == "/nothing" ? "no-cache" : "private, no-cache"))
        }
    }

    @Test("links on pages begin with the path below which a proxy shows the service")
    func links() async throws {
        try await FrontendFixture.with(configure: { $0.serverURL = "https://example.com/odcs/" }) { frontend async throws in
            _ = try await frontend.database.store.submit(.repo(), owner: "me")
            try frontend.write("x", to: "odcs-1/COMPOSE_ID")
            for path in ["/", "/composes/", "/composes/odcs-1/"] {
                let page = try await frontend.get(path).text
                let links = page.matches(of: /href="([^"]*)"/).map(\.output.1)
                #expect(!links.isEmpty)
                // A link within the page has no path.
                for link in links where !link.hasPrefix("#") { #expect(link.hasPrefix("/odcs/"), "\(path): \(link)") }
            }
        }
    }
}
