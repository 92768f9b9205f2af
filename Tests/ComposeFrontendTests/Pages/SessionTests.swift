import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// Logins, sessions and forms of people at the pages.
@Suite struct SessionTests {
    /// A provider that lets everybody in who comes back with the code `good`.
    private struct OpenDoor: LoginProvider {
        let name = "openid.door"

        func address(of login: BrowserLogin) async throws(CredentialFailure) -> String {
            "https://id.example.com/auth?state=\(login.state)"
        }

        func person(with code: Secret, of login: BrowserLogin) async throws(CredentialFailure) -> Identity {
            guard code.text == "good", let account = try? AccountName("owner") else { throw .wrong("The code is wrong.") }
            return Identity(account: account, provider: name, groups: ["clients"])
        }
    }

    private static func with(_ body: @escaping @Sendable (FrontendFixture) async throws -> Void) async throws {
        try await FrontendFixture.with(
            configure: {
                $0.access = RouteIdentityTests.access(asks: true)
                $0.tokens = TokenService()
                $0.login = OpenDoor()
                $0.targets["secret"] = $0.targets["default"].map { .init(path: $0.path, url: "/composes-secret") }
            }, body)
    }

    /// Logs in, and returns the cookie of the session.
    private static func login(_ frontend: FrontendFixture, to page: String = "/") async throws -> (cookie: String, place: String) {
        let begun = try await frontend.get("/login?return_to=\(page)")
        #expect(begun.status == 303)
        let cookie = try #require(begun.headers[.setCookie]?.split(separator: ";").first.map(String.init))
        let state = try #require(begun.headers[.location]?.split(separator: "state=").last)
        let answer = try await frontend.get("/login/return?code=good&state=\(state)", headers: [.cookie: cookie])
        #expect(answer.status == 303, "\(answer.text)")
        let session = answer.headers[values: .setCookie].first { $0.hasPrefix("__Host-odcs=") }
        return (try #require(session), try #require(answer.headers[.location]))
    }

    @Test("a login begins a session whose cookie no script and no other site can use")
    func session() async throws {
        try await Self.with { frontend in
            let (cookie, place) = try await Self.login(frontend, to: "%2Fcompose%3Fowner%3Djoe")
            #expect(place == "/compose?owner=joe")
            #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Lax; Secure"))
            let value = String(cookie.prefix { $0 != ";" })
            let page = try await frontend.get("/tokens", headers: [.cookie: value])
            #expect(page.status == 200 && page.text.contains("<bdi>owner</bdi>"))
            #expect(page.headers[.cacheControl] == "no-store")
            let entries = try await frontend.database.store.audit(AuditQuery(account: "owner"))
            #expect(entries.map(\.entry.action) == ["GET /login/return"])
        }
    }

    @Test("no address of the API reads a cookie", arguments: ["/api/1/me", "/api/1/tokens", "/api/1/audit"])
    func api(path: String) async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            #expect(try await frontend.get(path, headers: [.cookie: value]).status == 401)
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            for path in ["/api/1/composes", "/odcs/1/composes"] {
                #expect(try await frontend.request(.post, path, body, headers: [.cookie: value]).status == 401)
            }
        }
    }

    @Test("a person with a session reads the page, the files, the log and the stream of a private compose below the path of its page")
    func privateFiles() async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            let headers: HTTPFields = [.cookie: value]
            let store = frontend.database.store
            var request = ComposeRequest.repo()
            request.targetDir = "secret"
            let id = try await store.submit(request, owner: "owner").id
            _ = try await store.delete(id, by: Actor(name: "owner", isAdmin: false))
            try frontend.write("a line\n", to: "odcs-\(id)/pungi-stderr.log")
            try frontend.write("[odcs]", to: "odcs-\(id)/compose/Temporary/odcs-\(id).repo")
            try frontend.write("x", to: "odcs-\(id + 1)/compose/x")

            let page = try await frontend.get("/compose/\(id)", headers: headers).text
            #expect(page.contains("href=\"/compose/\(id)/files/pungi-stderr.log\""))
            #expect(!page.contains("href=\"https://odcs.example.com/composes"))
            #expect(try await frontend.get("/compose/\(id)/files/pungi-stderr.log", headers: headers).text == "a line\n")
            let directory = try await frontend.get("/compose/\(id)/files/compose/Temporary/", headers: headers)
            #expect(directory.text.contains("href=\"/compose/\(id)/files/compose/Temporary/odcs-\(id).repo\""), "\(directory.text)")
            #expect(directory.headers[.cacheControl] == "private, no-cache")
            let stream = try await frontend.get(
                "/compose/\(id)/events?after=0-\(id)-0", headers: [.cookie: value, .accept: "text/event-stream"])
            #expect(stream.status == 200 && stream.text.contains("data: a line"), "\(stream.text)")

            for path in ["pungi-stderr.log", "compose/Temporary", "absent"] {
                #expect(try await frontend.get("/compose/\(id)/files/\(path)").status == 401)
                #expect(try await frontend.by("other").get("/compose/\(id)/files/\(path)").status == 403)
            }
            // The addresses for programs read no cookies, and no name leads to another compose.
            #expect(try await frontend.get("/composes-secret/odcs-\(id)/pungi-stderr.log", headers: headers).status == 401)
            #expect(try await frontend.get("/api/1/composes/\(id)/events", headers: headers).status == 401)
            for path in ["../odcs-\(id + 1)/compose/x", "%2e%2e/odcs-\(id + 1)/compose/x", ".hidden", "absent"] {
                #expect(try await frontend.get("/compose/\(id)/files/\(path)", headers: headers).status == 404, "\(path)")
            }
        }
    }

    @Test("the events of private composes reach a person with a session, and nobody else")
    func privateEvents() async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            var request = ComposeRequest.repo()
            request.targetDir = "secret"
            _ = try await frontend.database.store.submit(request, owner: "owner")
            try await frontend.database.store.sequenceEvents()
            #expect(try await frontend.get("/events?after=0", headers: [.cookie: value]).json["events"]?.count == 1)
            #expect(try await frontend.get("/events?after=0").json["events"]?.count == 0)
            #expect(try await frontend.get("/api/1/events?after=0", headers: [.cookie: value]).json["events"]?.count == 0)
        }
    }

    @Test("a form without the token of the session and of its address is refused")
    func forms() async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            let id = try await frontend.database.store.submit(.repo(), owner: "owner").id
            let path = "/compose/\(id)/delete"
            let page = try await frontend.get("/compose/\(id)", headers: [.cookie: value]).text
            let found = try #require(page.firstMatch(of: /delete"><input type="hidden" name="form" value="([^"]*)"/))
            let good = String(found.1)
            let other = FormKey(text: "other").token(for: path)
            for (body, cookie, status) in [
                ("", value, 403), ("form=", value, 403), ("form=x", value, 403), ("form=\(other)", value, 403), ("form=\(good)", nil, 401),
            ] {
                var headers: HTTPFields = [:]
                headers[.cookie] = cookie
                #expect(try await frontend.request(.post, path, body, headers: headers).status == status, "\(body)")
            }
            // The token of one form is not that of another.
            let renew = try await frontend.request(.post, "/compose/\(id)/renew", "form=\(good)", headers: [.cookie: value])
            #expect(renew.status == 403)
            let foreign = try await frontend.request(
                .post, path, "form=\(good)", headers: [.cookie: value, .origin: "https://evil.example"])
            #expect(foreign.status == 403)
            let answer = try await frontend.request(.post, path, "form=\(good)", headers: [.cookie: value])
            #expect(answer.status == 303 && answer.headers[.location] == "/compose/\(id)")
        }
    }

    @Test("after the logout the session is worth nothing")
    func logout() async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            let key = String(value.dropFirst("__Host-odcs=".count))
            let answer = try await frontend.request(
                .post, "/logout", "form=\(FormKey(text: key).token(for: "/logout"))", headers: [.cookie: value])
            #expect(answer.status == 303)
            #expect(try await frontend.get("/tokens", headers: [.cookie: value]).status == 303)
            #expect(!(try await frontend.get("/", headers: [.cookie: value]).text.contains("<bdi>owner</bdi>")))
        }
    }

    @Test("a login that this browser did not begin is refused")
    func state() async throws {
        try await Self.with { frontend in
            let begun = try await frontend.get("/login")
            let cookie = try #require(begun.headers[.setCookie]?.split(separator: ";").first.map(String.init))
            let state = try #require(begun.headers[.location]?.split(separator: "state=").last)
            for (query, cookie, status) in [
                ("code=good&state=\(state)", nil, 400), ("code=good&state=x", cookie, 400), ("code=good", cookie, 400),
                ("state=\(state)", cookie, 400), ("error=access_denied&state=\(state)", cookie, 403),
                ("code=bad&state=\(state)", cookie, 401),
            ] {
                var headers: HTTPFields = [:]
                headers[.cookie] = cookie
                let answer = try await frontend.get("/login/return?\(query)", headers: headers)
                #expect(answer.status == status, "\(query)")
                #expect(!answer.headers[values: .setCookie].contains { $0.hasPrefix("__Host-odcs=") })
            }
        }
    }

    @Test(
        "a login leads to pages of this service alone",
        arguments: [
            ("%2Fqueue", "/queue"), ("https%3A%2F%2Fevil.example", "/"), ("%2F%2Fevil.example", "/"), ("%2F%5Cevil.example", "/"),
            ("%2F%09%2Fevil.example", "/"), ("javascript%3Aalert(1)", "/"), ("", "/"), ("%2Fa%0D%0ASet-Cookie%3A%20x", "/"),
        ])
    func redirects(asked: String, place: String) async throws {
        try await Self.with { frontend in
            let reached = try await Self.login(frontend, to: asked).place
            #expect(reached == place)
        }
    }

    @Test("a page for people with a right leads others to the login, and back")
    func personal() async throws {
        try await Self.with { frontend in
            let answer = try await frontend.get("/admin?before=7")
            #expect(answer.status == 303 && answer.headers[.location] == "/login?return_to=%2Fadmin%3Fbefore%3D7")
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            #expect(try await frontend.get("/admin", headers: [.cookie: value]).status == 403)
        }
    }

    @Test("a session ends when all sessions of its person are ended")
    func ended() async throws {
        try await Self.with { frontend in
            let value = String(try await Self.login(frontend).cookie.prefix { $0 != ";" })
            #expect(try await frontend.database.store.endSessions(of: "owner") == 1)
            #expect(try await frontend.get("/tokens", headers: [.cookie: value]).status == 303)
        }
    }

    @Test(
        "a cookie of another form, or two of them, are no session", arguments: ["x y", "<b>", "%00", String(repeating: "a", count: 5000)])
    func malformed(text: String) async throws {
        try await Self.with { frontend in
            for cookie in ["__Host-odcs=\(text)", "__Host-odcs=a; __Host-odcs=b"] {
                let answer = try await frontend.get("/", headers: [.cookie: cookie])
                #expect(answer.status == 200)
            }
        }
    }

    @Test("the person without a session sees no button that would be refused")
    func buttons() async throws {
        try await Self.with { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "owner").id
            let stranger = try await frontend.get("/compose/\(id)").text
            #expect(!stranger.contains("id=\"cancel\"") && stranger.contains("/login?return_to=%2Fcompose%2F\(id)"))
            #expect(!(try await frontend.by("client").get("/compose/\(id)").text.contains("id=\"cancel\"")))
            #expect(try await frontend.by("owner").get("/compose/\(id)").text.contains("id=\"cancel\""))
        }
    }
}
