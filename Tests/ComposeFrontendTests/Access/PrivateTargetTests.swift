import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// Composes in a target directory that only its readers may see.
@Suite struct PrivateTargetTests {
    private static func with(_ body: @escaping @Sendable (FrontendFixture, Int, Int) async throws -> Void) async throws {
        try await FrontendFixture.with(configure: {
            $0.admission.capabilities = .all
            $0.access = .named
            $0.access.privateTargets = ["secret": Members(users: ["reader-of-secrets"])]
            $0.targets["secret"] = $0.targets["default"].map { .init(path: $0.path, url: "/composes-secret") }
        }) { frontend in
            var secret = ComposeRequest.repo()
            secret.targetDir = "secret"
            let open = try await frontend.database.store.submit(.repo(), owner: "me").id
            let hidden = try await frontend.database.store.submit(secret, owner: "me").id
            try await body(frontend, open, hidden)
        }
    }

    private static let reader = "reader-of-secrets"

    @Test("lists and the home page leave out what a sender may not see, and count only what they show")
    func lists() async throws {
        try await Self.with { frontend, open, hidden in
            for path in ["/api/1/composes", "/odcs/1/composes", "/api/1/composes?owner=me", "/api/1/composes?order_by=id"] {
                let all = try await frontend.by(Self.reader).get(path).json
                #expect(all["items"]?.count == 2 && all["meta"]?["total"] == .integer(2), "\(path)")
                for answer in [try await frontend.by("other").get(path), try await frontend.get(path)] {
                    #expect(try answer.json["items"]?.count == 1 && answer.json["items"]?[0]?["id"] == .integer(open), "\(path)")
                    #expect(try answer.json["meta"]?["total"] == .integer(1), "\(path)")
                }
            }
            #expect(try await frontend.get("/").text.contains("odcs-\(hidden)") == false)
        }
    }

    @Test("a document is 401 without credentials and 403 for others, also where a compose is only named")
    func documents() async throws {
        try await Self.with { frontend, _, hidden in
            for path in ["/api/1/composes/\(hidden)", "/odcs/1/composes/\(hidden)"] {
                #expect(try await frontend.get(path).status == 401)
                let other = try await frontend.by("other").get(path)
                #expect(other.status == 403)
                #expect(
                    try other.message
                        == "other may not see the composes of the target directory secret. Its readers are in composes.targets.secret.readers."
                )
                for name in [Self.reader, "admin"] { #expect(try await frontend.by(name).get(path).status == 200) }
            }
            let other = frontend.by("other")
            #expect(try await other.request(.patch, "/api/1/composes/\(hidden)").status == 403)
            #expect(try await other.request(.delete, "/api/1/composes/\(hidden)").status == 403)
            #expect(try await other.request(.post, "/odcs/1/composes", "{\"id\": \(hidden)}").status == 403)
        }
    }

    @Test("a watch is as private as its composes")
    func watches() async throws {
        try await Self.with { frontend, _, _ in
            var request = ComposeRequest.tag()
            request.targetDir = "secret"
            let watch = try await frontend.database.store.standingWatch(owner: "me", request: request).id
            #expect(try await frontend.get("/api/1/watches").json["meta"]?["total"] == .integer(0))
            #expect(try await frontend.by(Self.reader).get("/api/1/watches").json["meta"]?["total"] == .integer(1))
            #expect(try await frontend.get("/api/1/watches/\(watch)").status == 401)
            #expect(try await frontend.by("other").get("/api/1/watches/\(watch)").status == 403)
            #expect(try await frontend.by("other").request(.delete, "/api/1/watches/\(watch)").status == 403)
        }
    }

    @Test("an absent file of a private directory is refused like a present one, and an answer is not for shared caches")
    func files() async throws {
        try await Self.with { frontend, _, hidden in
            try frontend.write("x", to: "odcs-\(hidden)/compose/x")
            for path in ["/composes-secret/odcs-\(hidden)/compose/x", "/composes-secret/odcs-99/x", "/composes-secret/"] {
                #expect(try await frontend.get(path).status == 401, "\(path)")
                #expect(try await frontend.by("other").get(path).status == 403, "\(path)")
            }
            let answer = try await frontend.by(Self.reader).get("/composes-secret/odcs-\(hidden)/compose/x")
            #expect(answer.status == 200 && answer.text == "x")
            #expect(answer.headers[.cacheControl] == "private, no-cache")
            #expect(try await frontend.by(Self.reader).get("/composes-secret/odcs-99/x").status == 404)
        }
    }

    @Test("a rule that names the directory lets its clients see it, and one with a wildcard does not")
    func rules() throws {
        var (named, wild) = (ClientRule(name: "a", members: Members(groups: ["a"])), ClientRule(name: "b", members: Members(groups: ["b"])))
        named.targetDirs = AllowedWords(["secret"])
        wild.targetDirs = .any
        let access = AccessControl(
            chain: IdentityChain([]), rules: AccessRules(clients: [named, wild]), privateTargets: ["secret": Members(groups: ["c"])])
        func hidden(_ groups: Set<String>) throws -> Set<String> {
            access.hiddenTargets(from: Identity(account: try AccountName("joe"), provider: "test", groups: groups))
        }
        #expect(try hidden(["a"]).isEmpty)
        #expect(try hidden(["b"]) == ["secret"])
        #expect(try hidden(["c"]).isEmpty)
        #expect(access.hiddenTargets(from: nil) == ["secret"])
        #expect(AccessControl(privateTargets: ["secret": Members(users: ["x"])]).hiddenTargets(from: nil).isEmpty)
    }

    @Test("me shows the sender, and about names clients only to senders that are known")
    func shown() async throws {
        try await Self.with { frontend, _, _ in
            let me = try await frontend.by("joe").get("/api/1/me")
            #expect(me.headers[.cacheControl] == "no-store")
            let document = try me.json
            #expect(document["account"] == .string("joe") && document["provider"] == .string("named"))
            #expect(document["groups"] == .array([.string("clients")]))
            #expect(document["rules"]?[0]?["name"] == .string("everyone"))
            #expect(try await frontend.by("admin").get("/api/1/me").json["rules"] == nil)
            #expect(try await frontend.get("/api/1/about").json["allowed_clients"]?["groups"]?.keys == [])
            let about = try await frontend.by("joe").get("/api/1/about").json
            #expect(about["auth_backend"] == .string("named"))
            #expect(about["allowed_clients"]?["groups"]?.keys == ["clients"])
        }
    }
}
