import ComposeModel
import ComposeTestKit
import HTTPTypes
import Identity
import ImageModel
import Testing

@testable import ComposeFrontend

/// The rules of clients, and the comparison of the published ODCS.
@Suite struct ClientRuleTests {
    private static func identity(
        _ name: String = "joe", groups: Set<String> = [], scopes: Set<Scope>? = nil, token: String? = nil, rule: String? = nil,
        repositories: [String]? = nil, workload: String? = nil
    ) throws -> Identity {
        Identity(
            account: try AccountName(name), provider: "test", groups: groups, scopes: scopes, token: token, rule: rule,
            repositories: repositories, workload: workload)
    }

    private static func rule(_ name: String, users: Set<String> = [], groups: Set<String> = [], workloads: Set<String> = []) -> ClientRule {
        ClientRule(name: name, members: Members(users: users, groups: groups, workloads: workloads))
    }

    @Test("a list allows its words and beginnings with a star, an empty one nothing, and one empty word everything")
    func words() {
        let some = AllowedWords(["f26", "f3*"])
        #expect(some.allow("f26") && some.allow("f3") && some.allow("f39-updates"))
        #expect(!some.allow("f2") && !some.allow("F26") && !some.allow(""))
        #expect(!AllowedWords.none.allow("f26") && !AllowedWords.none.allow(""))
        #expect(AllowedWords.any.allow("f26") && AllowedWords.any.allow(""))
        #expect(AllowedWords(["*"]).allow("x"))
    }

    @Test("each list refuses what it does not have, and the sentence names the list, the words and the remedy")
    func lists() throws {
        let changes: [(String, (inout ClientRule, AllowedWords) -> Void, ComposeRequest, String)] = [
            ("source_types", { $0.sourceTypes = $1 }, .repo(), "repo"),
            ("sources", { $0.sources = $1 }, .repo(from: "/srv/b"), "/srv/b"),
            ("flags", { $0.flags = $1 }, .repo(flags: [.noDeps]), "no_deps"),
            (
                "results", { $0.results = $1 },
                {
                    var r = ComposeRequest.repo(); r.results = [.repository, .iso]; return r
                }(), "iso"
            ),
            ("arches", { $0.arches = $1 }, .repo(), "x86_64"),
            ("compose_types", { $0.composeTypes = $1 }, .repo(), "test"),
            (
                "target_dirs", { $0.targetDirs = $1 },
                {
                    var r = ComposeRequest.repo(); r.targetDir = "secret"; return r
                }(), "secret"
            ),
            ("deliveries", { $0.deliveries = $1 }, .repo(), "link"),
        ]
        for (list, change, request, word) in changes {
            var rule = Self.rule("releng", users: ["joe"])
            change(&rule, AllowedWords(["a", "b"]))
            let refusal = try #require(rule.refusal(of: request))
            #expect(refusal.text == "access.clients.releng.\(list) allows a, b, but not \(word)")
            change(&rule, AllowedWords(["a", word]))
            #expect(rule.refusal(of: request) == nil)
            change(&rule, .any)
            #expect(rule.refusal(of: request) == nil)
            change(&rule, .none)
            #expect(rule.refusal(of: request)?.text == "access.clients.releng.\(list) is empty and does not allow \(word)")
            var granted = request
            let grant = Grant(identity: try Self.identity(), isAdmin: false, rules: [rule])
            let rejection = #expect(throws: RequestRejection.self) { try grant.admit(&granted) }
            #expect(rejection?.status == .forbidden)
            #expect(
                rejection?.message
                    == "Not allowed: access.clients.releng.\(list) is empty and does not allow \(word). Ask for less, or ask the operator of "
                    + "this service to change the rule.")
        }
    }

    @Test("only the default target directory is allowed by a rule that names none")
    func defaultTarget() {
        let rule = Self.rule("releng")
        #expect(rule.refusal(of: .repo()) == nil)
        var request = ComposeRequest.repo()
        request.targetDir = "secret"
        #expect(rule.refusal(of: request)?.list == "target_dirs")
    }

    @Test("one rule must allow all of a request, and two rules that allow a half each do not")
    func oneRule() throws {
        var (a, b) = (Self.rule("a", users: ["joe"]), Self.rule("b", users: ["joe"]))
        a.sourceTypes = AllowedWords(["repo"])
        a.flags = .none
        b.sourceTypes = AllowedWords(["tag"])
        let grant = Grant(identity: try Self.identity(), isAdmin: false, rules: [a, b])
        var request = ComposeRequest.repo(flags: [.noDeps])
        let rejection = #expect(throws: RequestRejection.self) { try grant.admit(&request) }
        #expect(
            rejection?.message
                == "Not allowed: access.clients.a.flags is empty and does not allow no_deps, access.clients.b.source_types allows tag, but not "
                + "repo. Ask for less, or ask the operator of this service to change the rule.")
        var plain = ComposeRequest.repo(secondsToLive: 7200)
        b.sourceTypes = .any
        b.maxSecondsToLive = 60
        a.flags = .any
        a.sourceTypes = .none
        #expect(try Grant(identity: try Self.identity(), isAdmin: false, rules: [a, b]).admit(&plain)?.name == "b")
        #expect(plain.secondsToLive == 60)
    }

    @Test("rules that name the account hide those that name its groups, and a workload is only one by its own name")
    func members() throws {
        let rules = AccessRules(
            admins: Members(users: ["boss", "ci"], groups: ["admins"]),
            clients: [
                Self.rule("byGroup", groups: ["g"]), Self.rule("byName", users: ["joe"]), Self.rule("ci", users: ["ci"]),
                Self.rule("work", workloads: ["lockfiles"]), Self.rule("nobody"),
            ])
        #expect(rules.rules(of: try Self.identity(groups: ["g"])).map(\.name) == ["byName"])
        #expect(rules.rules(of: try Self.identity("ann", groups: ["g"])).map(\.name) == ["byGroup"])
        // Neither the name of a group nor that of a rule is a way in, and a rule without members is nobody's.
        for name in ["g", "nobody", "work"] { #expect(rules.rules(of: try Self.identity(name)).isEmpty) }
        let workload = try Self.identity("ci", groups: ["g", "admins"], workload: "lockfiles")
        #expect(rules.rules(of: workload).map(\.name) == ["work"])
        #expect(!rules.isAdmin(workload))
        #expect(rules.isAdmin(try Self.identity("boss")))
        #expect(rules.isAdmin(try Self.identity("ann", groups: ["admins"])))
        #expect(!rules.isAdmin(try Self.identity("admins")))
    }

    @Test("an API token of an admin has the rights of an admin only with the scope admin and without limits")
    func adminTokens() throws {
        let rules = AccessRules(admins: Members(users: ["boss"]))
        #expect(!rules.isAdmin(try Self.identity("boss", scopes: [.newCompose], token: "t")))
        #expect(rules.isAdmin(try Self.identity("boss", scopes: [.newCompose, .admin], token: "t")))
        #expect(!rules.isAdmin(try Self.identity("boss", scopes: [.admin], token: "t", rule: "releng")))
        #expect(!rules.isAdmin(try Self.identity("boss", scopes: [.admin], token: "t", repositories: ["team/*"])))
        #expect(!rules.isAdmin(try Self.identity("joe", scopes: [.admin], token: "t")))
    }

    @Test("a token that is limited to a rule has no other, and none if the rule is gone")
    func limitedToken() throws {
        let access = AccessControl(
            chain: IdentityChain([]), rules: AccessRules(clients: [Self.rule("a", users: ["joe"]), Self.rule("b", users: ["joe"])]))
        let grant = try access.grant(.createCompose, to: try Self.identity(token: "t", rule: "b"))
        #expect(grant.rules?.map(\.name) == ["b"])
        let rejection = #expect(throws: RequestRejection.self) {
            try access.grant(.createCompose, to: try Self.identity(token: "t", rule: "gone"))
        }
        #expect(rejection?.message == "The token is limited to the rule gone, and access.clients has no such rule that names joe.")
    }

    @Test("images are allowed by the repositories of the rule and of the token")
    func images() throws {
        var rule = Self.rule("team", users: ["joe"])
        rule.repositories = AllowedWords(["team/*"])
        let web = try ImageRepository(host: RegistryHost("registry.example.org"), path: "team/web")
        let other = try ImageRepository(host: RegistryHost("registry.example.org"), path: "other/web")
        let grant = Grant(identity: try Self.identity(), isAdmin: false, rules: [rule])
        #expect(try grant.admit(web)?.name == "team")
        #expect(throws: RequestRejection.self) { try grant.admit(other) }
        let limited = Grant(identity: try Self.identity(token: "t", repositories: ["team/api"]), isAdmin: false, rules: [rule])
        let rejection = #expect(throws: RequestRejection.self) { try limited.admit(web) }
        #expect(rejection?.message == "Not allowed: the token is limited to team/api, and does not allow team/web.")

        #expect(try grant.admit(RebuildSelection(images: ["team/web", "team/a*"]))?.name == "team")
        for images in [[], ["*"], ["te*"], ["team/web", "other/web"]] {
            #expect(throws: RequestRejection.self) { try grant.admit(RebuildSelection(images: images)) }
        }
    }
}
