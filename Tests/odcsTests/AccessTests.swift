import ComposeModel
import Foundation
import HTTPTypes
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs login, whoami and token")
struct AccessTests {
    private static let text = "odcs_4k7m2p9xz1_" + String(repeating: "s", count: 43) + "0CHECK"
    private static let newText = "odcs_4k7m2p9xz1_" + String(repeating: "n", count: 43) + "1CHECK"
    private static let me = ["account": "joe", "provider": "tokens"]

    /// A directory of settings that several runs share.
    private struct Home {
        let directory: TemporaryDirectory
        var environment: [String: String] { ["XDG_CONFIG_HOME": directory.path] }
        var file: String { directory.path + "/odcs/tokens.json" }

        init() throws { directory = try TemporaryDirectory(files: [:]) }

        func odcs(
            _ arguments: [String], _ service: ScriptedService, _ environment: [String: String] = [:], files: [String: String] = [:],
            terminal: Int? = nil, input: Input = .none
        ) async throws -> CommandRun {
            try await CommandRun.odcs(
                arguments, server: service.address, environment: self.environment.merging(environment) { $1 }, files: files,
                terminal: terminal, input: input)
        }

        func logIn(_ service: ScriptedService) async throws {
            service.next(try .json(AccessTests.me))
            let run = try await odcs(["login"], service, input: .piped(AccessTests.text + "\n"))
            #expect(run.status == .success, "\(run.err)")
        }
    }

    private static func document(_ token: String? = nil) -> TokenDocument {
        var document = TokenDocument(
            id: "4k7m2p9xz1", owner: "joe", groups: [], note: "CI", scopes: ["new-compose"], rule: nil, repositories: nil,
            timeCreated: "2026-11-30T00:00:00Z", createdBy: "joe")
        document.timeToExpire = "2027-02-28T00:00:00Z"
        document.token = token
        return document
    }

    @Test("a token from standard input is checked, kept for its owner alone, and sent by later commands")
    func login() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            service.next(try .json(Self.me))
            let run = try await home.odcs(["login"], service, input: .piped(Self.text + "\n"))
            #expect(run.out == "\(service.address) knows you as joe. The token is kept in \(home.file).\n")
            #expect(run.err == "")
            let mode = try FileManager.default.attributesOfItem(atPath: home.file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            _ = try await home.odcs(["get", "1"], service)
            #expect(service.calls.map { $0.headers[.authorization] } == Array(repeating: "Bearer \(Self.text)", count: 2))
            #expect(service.calls.first?.path == "/api/1/me")
        }
    }

    @Test("a person is asked for the token, and it is not printed")
    func asked() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            service.next(try .json(Self.me))
            let run = try await home.odcs(["login"], service, terminal: 80, input: .person(Self.text))
            #expect(run.err == "Token for \(service.address): \n")
            #expect(!run.out.contains(Self.text))
            #expect(try await home.odcs(["login"], service, terminal: 80, input: .person()).status == .interrupted)
        }
    }

    @Test("a token that the service refuses, or that is not one word, is not kept")
    func refused() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            service.next(try .refusal(401, "The API token is not known."))
            #expect(try await home.odcs(["login"], service, input: .piped(Self.text)).status == .error)
            for (text, sentence) in [("", "the token is empty"), ("two words", "the token is not one word")] {
                #expect(try await home.odcs(["login"], service, input: .piped(text)).err == "odcs: \(sentence)\n")
            }
            #expect(!FileManager.default.fileExists(atPath: home.file))
        }
    }

    @Test("a kept token goes to no other server, and options and the environment come before it")
    func confined() async throws {
        try await ScriptedService.run { service in
            try await ScriptedService.run { other in
                let home = try Home()
                try await home.logIn(service)
                _ = try await home.odcs(["get", "1"], other)
                #expect(other.calls.map { $0.headers[.authorization] } == [nil])
                _ = try await home.odcs(["get", "1"], service, ["ODCS_TOKEN": "env"])
                _ = try await home.odcs(["get", "1"], service, ["ODCS_TOKEN_FILE": "token"], files: ["token": "of-file\n"])
                #expect(service.calls.dropFirst().map { $0.headers[.authorization] } == ["Bearer env", "Bearer of-file"])
            }
        }
    }

    @Test("a file of tokens that others can read is refused")
    func readable() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            try await home.logIn(service)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: home.file)
            let run = try await home.odcs(["get", "1"], service)
            #expect(run.err == "odcs: others can read \(home.file), which has tokens. Run: chmod 600 \(home.file)\n")
        }
    }

    /// Plays a provider beside the service: its metadata, and the start of a login.
    private static func startsLogin(_ service: ScriptedService) throws {
        let root = service.address
        service.next(
            try .json([
                "issuer": root, "device_authorization_endpoint": "\(root)/device", "token_endpoint": "\(root)/token",
            ]))
        service.next(
            ScriptedService.Answer(
                200,
                """
                {"device_code": "secret-device-code", "user_code": "WDJB-MJHT", "verification_uri": "\(root)/enter",
                 "expires_in": 600, "interval": 5}
                """, type: "application/json"))
    }

    @Test("a person logs in at an OpenID provider with a code, and the API token of the service is kept")
    func openID() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            try Self.startsLogin(service)
            service.next(try .json(["error": "authorization_pending"], status: 400))
            service.next(try .json(["error": "slow_down"], status: 400))
            service.next(try .json(["access_token": "token-of-the-provider"]))
            service.next(try .json(Self.document(Self.text)), try .json(Self.me))
            let run = try await home.odcs(["login", "--openid", service.address, "--client-id", "odcs-command"], service)
            #expect(run.err == "Open \(service.address)/enter in a browser, and enter the code: WDJB-MJHT\n")
            #expect(run.out == "\(service.address) knows you as joe. The token is kept in \(home.file).\n")

            let calls = service.calls
            #expect(
                calls.map(\.line) == [
                    "GET /.well-known/openid-configuration", "POST /device", "POST /token", "POST /token", "POST /token",
                    "POST /api/1/tokens", "GET /api/1/me",
                ])
            #expect(String(decoding: calls[1].body, as: UTF8.self) == "client_id=odcs-command&scope=openid")
            #expect(String(decoding: calls[2].body, as: UTF8.self).contains("device_code=secret-device-code&client_id=odcs-command"))
            let authorizations = calls.map { $0.headers[.authorization] }
            #expect(authorizations == [nil, nil, nil, nil, nil, "Bearer token-of-the-provider", "Bearer \(Self.text)"])
            let kept = try String(contentsOfFile: home.file, encoding: .utf8)
            #expect(kept.contains(Self.text) && !kept.contains("token-of-the-provider"))
        }
    }

    @Test(
        "a login that the provider refuses keeps nothing, and says why",
        arguments: [
            ("access_denied", "the login was refused at ISSUER"), ("expired_token", "nobody has entered the code at ISSUER in time"),
            ("invalid_client", "ISSUER refused the login: invalid_client"),
        ])
    func openIDRefused(error: String, sentence: String) async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            try Self.startsLogin(service)
            service.next(try .json(["error": error], status: 400))
            let run = try await home.odcs(["login", "--openid", service.address], service)
            #expect(run.status == .error)
            #expect(run.err.hasSuffix("odcs: \(sentence.replacing("ISSUER", with: service.address))\n"), "\(run.err)")
            #expect(!FileManager.default.fileExists(atPath: home.file))
        }
    }

    @Test("a provider that is not encrypted, has another name, or knows no codes is not used")
    func openIDUnsafe() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            let plain = try await home.odcs(["login", "--openid", "http://id.example.org"], service)
            #expect(plain.err == "odcs: the provider 'http://id.example.org' is not an https address\n")
            service.next(try .json(["issuer": "https://other.example.org", "token_endpoint": "https://other.example.org/token"]))
            let other = try await home.odcs(["login", "--openid", service.address], service)
            #expect(other.err == "odcs: \(service.address) names itself https://other.example.org; use that address\n")
            service.next(try .json(["issuer": service.address, "token_endpoint": "\(service.address)/token"]))
            let without = try await home.odcs(["login", "--openid", service.address], service)
            #expect(without.err == "odcs: \(service.address) has no logins with a code (RFC 8628); log in with a token\n")
            #expect(try await home.odcs(["login", "--days", "3"], service).status == .usage)
        }
    }

    @Test("logout forgets the token of the server")
    func logout() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            try await home.logIn(service)
            #expect(try await home.odcs(["logout"], service).out == "The token for \(service.address) is forgotten.\n")
            #expect(try await home.odcs(["logout"], service).out == "No token is kept for \(service.address).\n")
            _ = try await home.odcs(["get", "1"], service)
            #expect(service.calls.last?.headers[.authorization] == nil)
        }
    }

    @Test("the end of a token is announced once on standard error")
    func warning() async throws {
        try await ScriptedService.run { service in
            let answer = ScriptedService.Answer(
                200, try JSONEncoder().encode(Self.me), type: "application/json",
                headers: [HTTPField.Name("Odcs-Token-Expires")!: "2026-12-04T10:00:00Z"])
            service.next(answer)
            let run = try await CommandRun.odcs(["whoami"], server: service.address, environment: ["ODCS_TOKEN": Self.text])
            #expect(run.out == "account   joe\nprovider  tokens\n")
            #expect(
                run.err
                    == "odcs: the token expires at 2026-12-04 10:00:00 UTC. 'odcs token rotate' gives it a new secret and a new life.\n")
        }
    }

    @Test("a new token is the only thing on standard output")
    func create() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(Self.document(Self.text), status: 201))
            let run = try await CommandRun.odcs(
                ["token", "create", "--note", "CI", "--scope", "new-compose", "--days", "90", "--repository", "team/*"],
                server: service.address)
            #expect(run.out == Self.text + "\n")
            #expect(
                run.err
                    == "Token 4k7m2p9xz1 (CI) of joe. It expires at 2027-02-28 00:00:00 UTC. Keep it now. It cannot be shown again.\n")
            let call = try #require(service.calls.first)
            #expect(call.line == "POST /api/1/tokens")
            #expect(
                try JSONDecoder().decode(TokenSubmission.self, from: call.body)
                    == TokenSubmission(note: "CI", scopes: ["new-compose"], days: 90, repositories: ["team/*"]))
        }
    }

    @Test("a kept token rotates itself, and the new secret is kept and not printed")
    func rotate() async throws {
        try await ScriptedService.run { service in
            let home = try Home()
            try await home.logIn(service)
            service.next(try .json(Self.document(Self.newText)))
            let run = try await home.odcs(["token", "rotate"], service)
            #expect(!run.out.contains("nnnn") && run.err == "")
            #expect(service.calls.last?.line == "POST /api/1/tokens/4k7m2p9xz1/rotate")
            _ = try await home.odcs(["get", "1"], service)
            #expect(service.calls.last?.headers[.authorization] == "Bearer \(Self.newText)")
        }
    }

    @Test("tokens are listed without secrets, and one is revoked by its id and not by its text")
    func list() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(TokenList(items: [Self.document()])))
            let list = try await CommandRun.odcs(["token", "list"], server: service.address)
            #expect(
                list.out == """
                    ID          NOTE  SCOPES       RULE  EXPIRES (UTC)        USED (UTC)  FROM
                    4k7m2p9xz1  CI    new-compose  -     2027-02-28 00:00:00  -           -

                    """)
            service.next(try .json(Self.document()))
            let revoked = try await CommandRun.odcs(["token", "revoke", "4k7m2p9xz1"], server: service.address)
            #expect(revoked.out == "Token 4k7m2p9xz1 (CI) is revoked.\n")
            #expect(service.calls.last?.line == "DELETE /api/1/tokens/4k7m2p9xz1")
            let text = try await CommandRun.odcs(["token", "revoke", Self.text], server: service.address)
            #expect(text.status == .usage && service.calls.count == 2)
        }
    }
}
