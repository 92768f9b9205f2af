import ComposeFrontend
import Foundation
import ImageModel
import ServiceConfiguration
import Subprocess
import SystemPackage
import Testing

@testable import odcs_server

/// The sections `auth` and `access`, and the readers of target directories.
@Suite struct AccessConfigurationTests {
    private static let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()

    private func parse(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("a rule has its members, lists and limits, and an absent list allows everything but directories and images")
    func rule() throws {
        let configuration = try parse(
            """
            auth: {mechanisms: [proxy]}
            access:
              admins: {users: [boss], groups: [odcs-admins]}
              clients:
                releng:
                  users: [joe]
                  groups: [releng]
                  workloads: [lockfiles]
                  source_types: [tag, build]
                  sources: ["f*"]
                  flags: []
                  arches: [""]
                  target_dirs: [secret]
                  repositories: ["team/*"]
                  watches: false
                  max_seconds_to_live: 3600
                  limits: {waiting: 200, under_way: 10, requests_per_minute: 600, gigabytes: 500, watches: 20, build_steps: 30, build_minutes: 600, upload_megabytes: 5000}
                  weight: 4
            """)
        #expect(configuration.auth.mechanisms == [.proxy])
        #expect(configuration.access.admins == Members(users: ["boss"], groups: ["odcs-admins"]))
        let rule = try #require(configuration.access.clients.first)
        #expect(rule.name == "releng")
        #expect(rule.members == Members(users: ["joe"], groups: ["releng"], workloads: ["lockfiles"]))
        #expect(rule.sourceTypes == AllowedWords(["tag", "build"]) && rule.sources == AllowedWords(["f*"]))
        #expect(rule.flags == .none && rule.arches == .any && rule.results == .any && rule.deliveries == .any)
        #expect(rule.targetDirs == AllowedWords(["secret"]) && rule.repositories == AllowedWords(["team/*"]))
        #expect(!rule.watches && rule.maxSecondsToLive == 3600 && rule.weight == 4)
        #expect(
            rule.limits
                == ClientRule.Limits(
                    waiting: 200, underWay: 10, requestsPerMinute: 600, gigabytes: 500, watches: 20, buildSteps: 30, buildMinutes: 600,
                    uploadMegabytes: 5000))
        let least = try parse("access: {clients: {all: {users: [joe]}}}").access.clients[0]
        #expect(least.targetDirs == .none && least.repositories == .none && least.sourceTypes == .any && least.watches)
    }

    @Test(
        "a mistake is named with its key",
        arguments: [
            (
                "auth: {mechanisms: [password]}",
                "auth.mechanisms: can have tokens, openid, workloads, kerberos, certificates, proxy, not password"
            ),
            ("auth: {mechanisms: [proxy, proxy]}", "auth.mechanisms: has proxy twice"),
            (
                "auth: {proxy: {trusted: [\"0.0.0.0/0\"]}}",
                "auth.proxy.trusted: has 0.0.0.0/0, which is every address: everyone who reaches the service could take any name"
            ),
            (
                "auth: {proxy: {trusted: [proxy.example.org]}}",
                "auth.proxy.trusted: must be a list of addresses and networks such as 127.0.0.1 or 192.0.2.0/24, not proxy.example.org"
            ),
            (
                "auth: {proxy: {user_header: Authorization}}",
                "auth.proxy.user_header: must be the name of a header such as X-Remote-User, with letters, digits and -, not Authorization"
            ),
            ("auth: {proxy: {secret_header: X-Secret}}", "auth.proxy.secret_header: needs auth.proxy.secret_file too"),
            (
                "access: {clients: {a: {sources: [\"f*x\"]}}}",
                "access.clients.a.sources: has f*x, and a star can only be at the end of a word, as in f*"
            ),
            (
                "access: {clients: {a: {flags: [\"\", x]}}}",
                "access.clients.a.flags: has \"\" beside other words. Alone, it allows everything"
            ),
            (
                "composes: {targets: {default: {readers: {users: [joe]}}}}",
                "composes.targets.default.readers: needs auth.mechanisms: without them, the service does not know its readers"
            ),
            (
                "frontend: {host: 192.0.2.1}",
                "frontend.host: is 192.0.2.1, and auth.mechanisms is empty: everyone who reaches this address could do everything. Name the ways "
                    + "by which clients show their identity in auth.mechanisms, let the frontend listen on 127.0.0.1, or set "
                    + "frontend.open_to_all to true"
            ),
        ])
    func mistakes(text: String, expected: String) {
        let error = #expect(throws: ConfigurationError.self) { try parse(text) }
        #expect(error?.description == "odcs.yaml:1: \(expected)")
    }

    @Test(
        "a combination that is probably a mistake is a finding",
        arguments: [
            (
                "access: {admins: {users: [boss]}}",
                "access has no effect: auth.mechanisms is empty, so everyone may do everything. Name the ways by which clients show their "
                    + "identity in auth.mechanisms."
            ),
            (
                "frontend: {host: 192.0.2.1, open_to_all: true}",
                "frontend.host is 192.0.2.1, and auth.mechanisms is empty: everyone who reaches this address may do everything, because "
                    + "frontend.open_to_all is on. Name the ways by which clients show their identity in auth.mechanisms."
            ),
            (
                "auth: {mechanisms: [proxy]}",
                "access names nobody, so nobody may ask for a compose. Name accounts in access.admins or in rules below access.clients."
            ),
            (
                "{auth: {mechanisms: [proxy]}, access: {clients: {a: {}}}}",
                "access.clients.a has no users, groups or workloads, so it is nobody's rule. Name some, or remove it."
            ),
            (
                "{auth: {mechanisms: [proxy]}, access: {clients: {a: {workloads: [ci]}}}}",
                "access.clients.a.workloads has no effect: auth.mechanisms does not have workloads. Add it there."
            ),
            (
                "{auth: {mechanisms: [proxy]}, access: {clients: {a: {users: [joe], target_dirs: [x]}}}}",
                "access.clients.a.target_dirs has x, which composes.targets does not have. Add it there, or remove it here."
            ),
            (
                "{auth: {mechanisms: [proxy]}, access: {clients: {a: {users: [joe], max_seconds_to_live: 999999}}}}",
                "access.clients.a.max_seconds_to_live is 999999, but composes.max_seconds_to_live is 259200, and the lower one counts. Raise "
                    + "the second one, or lower the first."
            ),
            (
                "{auth: {tokens: {warn_days: 0}}, events: {token_webhooks: [\"https://hooks.example.org/tokens\"]}}",
                "events.token_webhooks get nothing, because auth.tokens.warn_days is 0. Raise it, or remove the addresses."
            ),
            (
                "auth: {tokens: {max_days: 30, warn_days: 30}}",
                "auth.tokens.warn_days is 30, and auth.tokens.max_days is 30: every answer to a token warns of its end. Lower the first one."
            ),
        ])
    func findings(text: String, expected: String) throws {
        #expect(try parse(text).findings == [expected])
    }

    @Test("the readers of a target directory make it private")
    func readers() throws {
        let configuration = try parse(
            "{auth: {mechanisms: [proxy]}, composes: {targets: {secret: {readers: {groups: [team]}}, open: {readers: {users: []}}}}}")
        #expect(configuration.composes.targets["secret"]?.readers == Members(groups: ["team"]))
        #expect(configuration.composes.targets["open"]?.readers == nil)
        #expect(configuration.composes.targets["default"]?.readers == nil)
    }

    @Test("the converted file of a published ODCS has the same rules")
    func converted() async throws {
        let file = FilePath(FileManager.default.temporaryDirectory.path).appending("config-\(UUID().uuidString.prefix(8)).py")
        try Data(
            """
            class BaseConfiguration:
                AUTH_BACKEND = "kerberos"
                ADMINS = {"users": ["boss"], "groups": ["odcs-admins"]}
                ALLOWED_ARCHES = ["x86_64", "s390x"]

            class ProdConfiguration(BaseConfiguration):
                ALLOWED_CLIENTS = {
                    "users": {"joe": {"source_types": ["repo"], "target_dirs": ["private"], "arches": ["aarch64"]}, "osbs/h.x": {}},
                    "groups": {"releng": {"source": ["f26"], "sources": [""], "flags": []}},
                }
            """.utf8
        ).write(to: URL(filePath: file.string))
        let run = try await Subprocess.run(
            .path(Self.root.appending("scripts/convert-reference-config")), arguments: [file.string], output: .string(limit: 1 << 16),
            error: .string(limit: 1 << 16))
        try FileManager.default.removeItem(atPath: file.string)
        #expect(run.standardError == "")
        let configuration = try parse(try #require(run.standardOutput))
        #expect(configuration.auth.mechanisms == [.kerberos])
        #expect(configuration.access.admins == Members(users: ["boss"], groups: ["odcs-admins"]))
        let rules = Dictionary(uniqueKeysWithValues: configuration.access.clients.map { ($0.name, $0) })
        #expect(Set(rules.keys) == ["user-joe", "user-osbs-h-x", "group-releng"])
        let joe = try #require(rules["user-joe"])
        #expect(joe.members == Members(users: ["joe"]))
        #expect(joe.sourceTypes == AllowedWords(["repo"]) && joe.targetDirs == AllowedWords(["private"]))
        #expect(joe.arches == AllowedWords(["aarch64"]) && joe.sources == .any)
        let host = try #require(rules["user-osbs-h-x"])
        #expect(host.members == Members(users: ["osbs/h.x"]))
        #expect(host.sourceTypes == AllowedWords(["tag", "module", "build"]) && host.arches == AllowedWords(["x86_64", "s390x"]))
        let releng = try #require(rules["group-releng"])
        #expect(releng.members == Members(groups: ["releng"]) && releng.flags == .none && releng.sources == .any)
    }
}
