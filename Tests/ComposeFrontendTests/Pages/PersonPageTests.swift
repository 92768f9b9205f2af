import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import Identity
import ImageModel
import Testing

@testable import ComposeFrontend

/// The pages that depend on the rights of a person: the account, a watch, and the form
/// that asks again.
@Suite struct PersonPageTests {
    private static func with(
        waiting: Int? = nil, megabytes: Int? = nil, _ body: @escaping @Sendable (FrontendFixture) async throws -> Void
    ) async throws {
        var rule = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        rule.limits.waiting = waiting
        rule.limits.uploadMegabytes = megabytes
        let rules = AccessRules(admins: Members(users: ["admin"]), clients: [rule])
        try await FrontendFixture.with(
            configure: {
                $0.admission.capabilities = .all
                $0.access = .named
                $0.access.rules = rules
                $0.tokens = TokenService()
            }, body)
    }

    /// Sends a form of a page by a person who has credentials.
    private static func send(_ form: String, to path: String, by name: String, _ frontend: FrontendFixture) async throws -> Answer {
        let headers: HTTPFields = [.cookie: "\(BrowserCookies(serverURL: "https://odcs.example.com").form)=k1"]
        return try await frontend.by(name).request(
            .post, path, "form=\(FormKey(text: "k1").token(for: path))&\(form)", headers: headers)
    }

    // MARK: The account

    @Test("the page of a person has the account, its rules, what it has of each limit, its tokens and its composes")
    func account() async throws {
        try await Self.with(waiting: 3, megabytes: 100) { frontend in
            let store = frontend.database.store
            let id = try await store.submit(.repo(), owner: "joe").id
            _ = try await store.submit(.repo(["of-another"]), owner: "eve")
            _ = try await store.standingWatch(owner: "joe", request: .tag())
            _ = try await store.createToken(
                NewToken(owner: try AccountName("joe"), note: "for CI", scopes: [.newCompose], life: nil), by: AuditSender())
            let limit = UploadLimit(sender: "account joe", most: 100_000_000)
            try await store.recordUpload(of: ImageDigest(of: Array("context".utf8)), bytes: 2_000_000, within: limit)
            let answer = try await frontend.by("joe").get("/me")
            #expect(answer.status == 200 && answer.headers[.cacheControl] == "no-store")
            let page = answer.text
            #expect(page.contains("<h1>You are <bdi>joe</bdi></h1>") && page.contains("<bdi>everyone</bdi>"))
            for (name, most) in [("Composes that wait", "3"), ("Watches", "no limit")] {
                let row = #"\#(name)</th><td class="number" data-label="Now">1</td><td class="number" data-label="Most">\#(most)</td>"#
                #expect(page.contains(row))
            }
            #expect(page.contains("<bdi>for CI</bdi>") && page.contains("href=\"/compose/\(id)\"") && !page.contains("of-another"))
            #expect(page.contains(#"Uploads within a day</th><td class="number" data-label="Now">2 MB</td>"#))
            #expect(page.contains(#"<td class="number" data-label="Most">100 MB</td>"#))
            #expect(try await frontend.by("admin").get("/me").text.contains("You are an admin."))
            #expect(try await frontend.by("guest").get("/me").text.contains("No rule of access.clients names you"))
        }
    }

    @Test("what an account has is counted, also of image builds")
    func usage() async throws {
        try await FrontendFixture.withImages { frontend in
            let image = try await frontend.add("demo")["id"]?.integer ?? 0
            #expect(try await frontend.request(.post, "/api/1/images/\(image)/builds", "{}").status == 200)
            let usage = try await frontend.database.store.usage(of: "unknown")
            // Two platforms and the manifest list.
            #expect(usage.buildSteps == 3 && usage.buildMinutes == 0)
            #expect(usage.waiting + usage.underWay + usage.bytes + usage.watches == 0)
        }
    }

    // MARK: A watch

    @Test("the page of a watch has its request, its problem and its composes, and its owner can end it there")
    func watch() async throws {
        try await Self.with { frontend in
            let store = frontend.database.store
            let watch = try await store.standingWatch(owner: "joe", request: .tag()).id
            let page = try await frontend.by("joe").get("/watches/\(watch)").text
            #expect(page.contains("<h1>Watch \(watch)</h1>") && page.contains("It has made no compose yet."))
            #expect(page.contains("id=\"end\"") && page.contains("<dt>Tag</dt>"))
            #expect(!(try await frontend.by("eve").get("/watches/\(watch)").text.contains("id=\"end\"")))
            #expect(try await Self.send("", to: "/watches/\(watch)/end", by: "joe", frontend).status == 303)
            #expect(try await frontend.get("/watches/\(watch)").text.contains("It makes no composes any more."))
            #expect(try await frontend.get("/watches/99").status == 404)
            #expect(try await frontend.get("/watches").text.contains("No watch matches."))
            #expect(try await frontend.get("/watches?include_ended=1").text.contains("href=\"/watches/\(watch)\""))
        }
    }

    // MARK: Ask again

    @Test("a list of packages that is too long for the form stays as it is, and the form says so, and names an event of Koji")
    func longList() async throws {
        try await Self.with { frontend in
            let packages = (0..<1000).map { "a-package-with-a-long-name-\($0)" }
            var request = ComposeRequest.tag(packages)
            request.kojiEvent = 77
            let id = try await frontend.database.store.submit(request, owner: "eve").id
            let page = try await frontend.by("joe").get("/compose/\(id)/again").text
            #expect(!page.contains("name=\"packages\""))
            #expect(page.contains("Its 1000 packages stay as they are, too."))
            #expect(page.contains("The packages are those at the event 77 of Koji, as before."))
        }
    }

    @Test("the form has the request of the compose, and makes a compose with the changes and everything else as it was")
    func again() async throws {
        try await Self.with { frontend in
            var request = ComposeRequest.repo(["ed", "libed"], flags: .noDeps, secondsToLive: 7200)
            request.lookasideRepos = ["/srv/lookaside"]
            request.label = "RC-1.0"
            request.composeType = "nightly"
            let id = try await frontend.database.store.submit(request, owner: "eve").id
            #expect(try await frontend.by("joe").get("/compose/\(id)").text.contains("href=\"/compose/\(id)/again\""))
            let page = try await frontend.by("joe").get("/compose/\(id)/again").text
            #expect(page.contains(">ed\nlibed</textarea>") && page.contains("value=\"/srv/repo\"") && page.contains("value=\"2\""))
            #expect(page.contains("value=\"no_deps\" checked") && page.contains("value=\"RC-1.0\"") && !page.contains("name=\"sigkeys\""))

            let sent = try await Self.send(
                "packages=vi%0D%0Aed&arches=aarch64&hours=1&label=&flags=check_deps", to: "/compose/\(id)/again", by: "joe", frontend)
            #expect(sent.status == 303 && sent.headers[.location] == "/compose/\(id + 1)", "\(sent.text)")
            let made = try #require(try await frontend.database.store.compose(id + 1))
            #expect(made.owner == "joe")
            var wanted = request
            (wanted.packages, wanted.arches, wanted.flags) = (["vi", "ed"], ["aarch64"], .checkDeps)
            (wanted.secondsToLive, wanted.label) = (3600, nil)
            #expect(made.request == wanted)
        }
    }

    @Test(
        "a form that cannot be a request is shown again with the reason and with what the person wrote",
        arguments: [
            ("hours=soon", "The hours to live must be a number"), ("flags=nonsense&packages=mine", "nonsense"),
            ("source=%2Fetc&packages=mine", "outside of what this server may read"),
        ])
    func refused(form: String, reason: String) async throws {
        try await Self.with { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "eve").id
            let answer = try await Self.send(form, to: "/compose/\(id)/again", by: "joe", frontend)
            #expect(answer.status == 400 && answer.text.contains(reason), "\(answer.text)")
            #expect(answer.text.contains("role=\"alert\"") && answer.text.contains("</textarea>"))
            #expect(!form.contains("mine") || answer.text.contains(">mine</textarea>"))
            #expect(try await frontend.composesStored == 1)
        }
    }

    @Test("a form beyond a limit is refused, and so is one of a person without the right")
    func limits() async throws {
        try await Self.with(waiting: 1) { frontend in
            let id = try await frontend.database.store.submit(.repo(), owner: "eve").id
            #expect(try await Self.send("", to: "/compose/\(id)/again", by: "joe", frontend).status == 303)
            #expect(try await Self.send("", to: "/compose/\(id)/again", by: "joe", frontend).status == 429)
            #expect(try await Self.send("", to: "/compose/\(id)/again", by: "guest", frontend).status == 403)
            #expect(try await frontend.by("guest").get("/compose/\(id)/again").status == 403)
        }
    }

    @Test("a long list of packages is not in the form, and the new compose has all of it")
    func long() async throws {
        try await Self.with { frontend in
            let names = (0..<1001).map { "package-\($0)" }
            let id = try await frontend.database.store.submit(.repo(names), owner: "eve").id
            let page = try await frontend.by("joe").get("/compose/\(id)/again").text
            #expect(!page.contains("name=\"packages\"") && page.contains("Its 1001 packages stay as they are, too."))
            #expect(try await Self.send("packages=", to: "/compose/\(id)/again", by: "joe", frontend).status == 303)
            #expect(try await frontend.database.store.compose(id + 1)?.request.packages == names)
        }
    }

    // MARK: The audit

    @Test("the audit has one entry of each form about a token")
    func audit() async throws {
        try await Self.with { frontend in
            #expect(try await Self.send("note=CI&scopes=new-compose", to: "/tokens", by: "joe", frontend).status == 200)
            let store = frontend.database.store
            let token = try #require(try await store.tokens(owner: try AccountName("joe")).first).id
            #expect(try await Self.send("", to: "/tokens/\(token)/rotate", by: "joe", frontend).status == 200)
            #expect(try await Self.send("", to: "/tokens/\(token)/revoke", by: "joe", frontend).status == 303)
            let entries = try await store.audit(AuditQuery(account: "joe"))
            #expect(entries.map(\.entry.action) == ["token.revoke", "token.rotate", "token.create"])
        }
    }
}
