import Foundation
import ImageModel
import ImageTestKit
import Subprocess
import SystemPackage
import Testing

@testable import Registry

@Suite("Login")
struct LoginTests {
    private static func inFile<Value>(_ text: String?, _ body: (FilePath) async throws -> Value) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-login-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "auth.json")
        if let text { try Data(text.utf8).write(to: file) }
        return try await body(FilePath(file.path))
    }

    @Test("A real registry accepts the right password, and no other one")
    func passwords() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            try await withClient { client in
                let answer = try await client.login(to: registry.host, user: TestRegistry.user, password: TestRegistry.password)
                #expect(answer == .accepted)
                let found = await failure { _ = try await client.login(to: registry.host, user: TestRegistry.user, password: "wrong") }
                #expect(found?.code == .unauthorized)
                #expect(found?.message == "The registry at http://\(registry.host) does not accept this user name with this password.")
            }
        }
    }

    @Test("A registry without passwords does not look at them, and a server that is no registry is named")
    func open() async throws {
        try await TestRegistry.with { registry in
            let answer = try await withClient { try await $0.login(to: registry.host, user: "a", password: "b") }
            #expect(answer == .notAsked)
        }
        try await ScriptedRegistry.with { registry in
            let host = try registry.host
            try await withClient { client in
                let found = await failure { _ = try await client.login(to: host, user: "a", password: "b") }
                #expect(found?.message == "There is no registry at http://\(host): it answered with the status 404.")
            }
        }
    }

    @Test("A token service is asked, and only one of the same domain sees the password")
    func tokenService() async throws {
        try await ScriptedRegistry.with { registry in
            let host = try registry.host
            @Sendable func challenge(_ realm: String) -> ScriptedRegistry.Answer {
                ScriptedRegistry.Answer(401, [("www-authenticate", "Bearer realm=\"\(realm)\",service=\"r\"")])
            }
            let right = Credentials(user: "me", password: "right").basic
            registry.answer { request in
                if request.uri == "/v2/" { return challenge("http://\(host)/token") }
                return request.uri == "/token?service=r" && request.headers["authorization"] == right
                    ? .init(200, [], .bytes(Array(#"{"token":"T"}"#.utf8))) : .init(401)
            }
            try await withClient { client in
                let answer = try await client.login(to: host, user: "me", password: "right")
                #expect(answer == .accepted)
                let found = await failure { _ = try await client.login(to: host, user: "me", password: "wrong") }
                #expect(found?.code == .unauthorized)
                registry.answer { _ in challenge("https://other.example.org/token") }
                let elsewhere = await failure { _ = try await client.login(to: host, user: "me", password: "right") }
                #expect(elsewhere?.code == .denied)
            }
        }
    }

    @Test("Credentials are kept for the owner alone, where skopeo finds them")
    func skopeo() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            try await Self.inFile(nil) { file in
                let repository = try registry.repository("web")
                let deeper = file.removingLastComponent().appending("containers/auth.json")
                try CredentialFiles.store(user: TestRegistry.user, password: TestRegistry.password, for: registry.host, in: deeper)
                let mode = try FileManager.default.attributesOfItem(atPath: deeper.string)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let files = try FileManager.default.contentsOfDirectory(atPath: deeper.removingLastComponent().string)
                #expect(files == ["auth.json"])
                try await withClient(RegistryConfiguration(credentials: CredentialFiles(deeper))) { client in
                    try await client.push(SmallImage(), to: repository, tag: .latest)
                }
                let found = try await Subprocess.run(
                    .name("skopeo"),
                    arguments: ["inspect", "--authfile", deeper.string, "--tls-verify=false", "--raw", "docker://\(registry.host)/web"],
                    output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
                #expect(Array(found.standardOutput.utf8) == SmallImage().document.bytes, "\(found.standardError)")
            }
        }
    }

    @Test("Other entries and settings of the file stay, and an equal entry is replaced under its own key")
    func others() async throws {
        let text = """
            {"auths":{"https://index.docker.io/v1/":{"auth":"b2xkOm9sZA=="},"r.example.org":{"auth":"YTpi"}},"HttpHeaders":{"X":"1"}}
            """
        try await Self.inFile(text) { file in
            try CredentialFiles.store(user: "me", password: "p:w", for: .dockerHub, in: file)
            try CredentialFiles.store(user: "team", password: "x", for: try RegistryHost("r.example.org"), path: "team", in: file)
            let files = CredentialFiles(file)
            #expect(try files.credentials(for: "library/debian", at: .dockerHub) == Credentials(user: "me", password: "p:w"))
            let other = try RegistryHost("r.example.org")
            #expect(try files.credentials(for: "web", at: other) == Credentials(user: "a", password: "b"))
            #expect(try files.credentials(for: "team/web", at: other) == Credentials(user: "team", password: "x"))
            let content = try String(contentsOfFile: file.string, encoding: .utf8)
            #expect(content.contains("\"HttpHeaders\""))
            #expect(content.contains("\"https://index.docker.io/v1/\""))
            #expect(!content.contains("\"docker.io\""))
        }
    }

    @Test("A link to the file stays a link, and an empty file is filled")
    func link() async throws {
        try await Self.inFile("") { file in
            let link = file.removingLastComponent().appending("link.json")
            try FileManager.default.createSymbolicLink(atPath: link.string, withDestinationPath: "auth.json")
            try CredentialFiles.store(user: "a", password: "b", for: try RegistryHost("r.example.org"), in: link)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.string) == "auth.json")
            #expect(try CredentialFiles(file).credentials(for: "web", at: RegistryHost("r.example.org"))?.user == "a")
        }
    }

    @Test(
        "A file that is no file of credentials, or that leaves them to a helper, stays as it is", arguments: ["[]", #"{"credsStore":"s"}"#])
    func refuses(text: String) async throws {
        try await Self.inFile(text) { file in
            let found = await failure { try CredentialFiles.store(user: "a", password: "b", for: .dockerHub, in: file) }
            #expect(found?.code == .badCredentials)
            let after = try String(contentsOfFile: file.string, encoding: .utf8)
            #expect(after == text)
        }
    }
}
