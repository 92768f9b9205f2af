import Identity
import OpenID
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// Identity providers in a configuration file.
@Suite struct OpenIDConfigurationTests {
    private let provider = "issuer: \"https://id.example.org/main\", audiences: [odcs], user_claim: preferred_username"
    private let workload = "issuer: \"https://ci.example.org\", audience: odcs, claims: {project: \"7\"}"

    private func configuration(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("a provider and a workload are read")
    func read() throws {
        let openID = try configuration(
            "auth: {openid: {sso: {\(provider), groups_from: none, prefix: \"p/\"}}, workloads: {ci: {\(workload), name: ci/lockfiles}}}"
        ).openID
        #expect(openID.providers.map(\.settings.name) == ["sso"])
        #expect(openID.providers.first?.issuer.text == "https://id.example.org/main")
        #expect(openID.providers.first?.settings.prefix == "p/")
        #expect(openID.providers.first?.settings.reserved.map(\.text) == ["ci/lockfiles"])
        #expect(openID.workloads.map(\.rule.account.text) == ["ci/lockfiles"])
        #expect(openID.workloads.first?.rule.claims.mapValues(\.texts) == ["project": ["7"]])
    }

    @Test("without the keys there are no providers")
    func absent() throws {
        let openID = try configuration("").openID
        #expect(openID.providers.isEmpty && openID.workloads.isEmpty)
    }

    @Test(
        "a setting that would let strangers in is refused with its key",
        arguments: [
            ("openid: {sso: {issuer: \"http://id.example.org\"}}", "auth.openid.sso.issuer"),
            ("openid: {sso: {issuer: \"https://id.example.org\"}}", "auth.openid.sso: needs audiences"),
            ("openid: {sso: {issuer: \"https://id.example.org\", audiences: [odcs]}}", "auth.openid.sso: needs user_claim"),
            ("openid: {sso: {PROVIDER, algorithms: [HS256]}}", "auth.openid.sso.algorithms"),
            ("openid: {sso: {PROVIDER, algorithms: [none]}}", "auth.openid.sso.algorithms"),
            ("openid: {sso: {PROVIDER, introspection: opaque}}", "auth.openid.sso.introspection"),
            ("openid: {sso: {PROVIDER, introspection: often}}", "auth.openid.sso.introspection"),
            ("openid: {sso: {PROVIDER, client_secret_file: missing}}", "auth.openid.sso.client_secret_file"),
            ("openid: {sso: {PROVIDER, ca: missing.pem}}", "auth.openid.sso.ca"),
            ("openid: {sso: {PROVIDER, user_clam: x}}", "auth.openid.sso.user_clam"),
            ("openid: {\"a b\": {PROVIDER}}", "auth.openid: has the name"),
            ("openid: {a: {PROVIDER}, b: {PROVIDER}}", "auth.openid.b.issuer"),
            ("workloads: {ci: {issuer: \"https://ci.example.org\"}}", "auth.workloads.ci: needs audience"),
            ("workloads: {ci: {issuer: \"https://ci.example.org\", audience: odcs}}", "auth.workloads.ci: needs claims"),
            ("workloads: {ci: {issuer: \"https://ci.example.org\", audience: odcs, claims: {ref: \"*\"}}}", "auth.workloads.ci.claims.ref"),
            (
                "workloads: {ci: {issuer: \"https://token.actions.githubusercontent.com\", audience: odcs, claims: {repository: team/web}}}",
                "auth.workloads.ci.claims: must pin repository_id or repository_owner_id"
            ), ("workloads: {ci: {WORKLOAD, name: unknown}}", "auth.workloads.ci.name"),
            ("workloads: {a: {WORKLOAD, name: x}, b: {WORKLOAD, name: x}}", "auth.workloads.b.name"),
        ])
    func refused(_ text: String, _ key: String) throws {
        let text = text.replacing("PROVIDER", with: provider).replacing("WORKLOAD", with: workload)
        let error = #expect(throws: ConfigurationError.self) { try configuration("auth: {\(text)}") }
        #expect(error?.description.hasPrefix("odcs.yaml:1: \(key)") == true, "\(error?.description ?? "")")
    }

    @Test("two providers with introspection, and a workload of a provider's issuer, are refused")
    func mixed() throws {
        let other = "issuer: \"https://id.example.net\", audiences: [odcs], user_claim: name"
        let asks = "introspection: opaque, client_id: odcs"
        let two = #expect(throws: ConfigurationError.self) {
            try configuration("auth: {openid: {a: {\(provider), \(asks)}, b: {\(other), \(asks)}}}")
        }
        #expect(two?.description.contains("auth.openid.b.introspection: must be never") == true)
        let same = workload.replacing("ci.example.org", with: "id.example.org/main")
        let shared = #expect(throws: ConfigurationError.self) {
            try configuration("auth: {openid: {a: {\(provider)}}, workloads: {ci: {\(same)}}}")
        }
        #expect(shared?.description.contains("auth.openid.a.issuer: is also that of a workload") == true)
    }
}
