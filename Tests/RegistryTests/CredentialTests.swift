import Foundation
import ImageModel
import SystemPackage
import Testing

@testable import Registry

/// Returns the user for a repository by a file with this text.
private func user(_ text: String, for reference: String) throws -> String? {
    let file = FileManager.default.temporaryDirectory.appending(path: "odcs-auth-\(UUID()).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    let repository = try ImageReference(reference).repository
    return try CredentialFiles(FilePath(file.path)).credentials(for: repository.path, at: repository.host)?.user
}

private func entry(_ user: String) -> String { #"{"auth":"\#(Data("\(user):p:w".utf8).base64EncodedString())"}"# }

@Suite("Credentials")
struct CredentialTests {
    @Test("The longest key that matches counts")
    func longest() throws {
        let text = """
            {"auths":{"r.example.org":\(entry("host")),"r.example.org/team":\(entry("team")),"r.example.org/team/web":\(entry("web"))}}
            """
        #expect(try user(text, for: "r.example.org/team/web:1") == "web")
        #expect(try user(text, for: "r.example.org/team/db") == "team")
        #expect(try user(text, for: "r.example.org/teams/web") == "host")
        #expect(try user(text, for: "r.example.org:5000/team/web") == nil)
        #expect(try user(text, for: "other.example.org/team/web") == nil)
    }

    @Test("docker's keys are understood", arguments: ["https://index.docker.io/v1/", "index.docker.io", "docker.io", "docker.io/library"])
    func dockerHub(key: String) throws {
        #expect(try user(#"{"auths":{"\#(key)":\#(entry("me"))}}"#, for: "debian") == "me")
    }

    @Test("A password may have colons")
    func colons() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "odcs-auth-\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(#"{"auths":{"r.example.org":\#(entry("me"))}}"#.utf8).write(to: file)
        let found = try CredentialFiles(FilePath(file.path)).credentials(for: "web", at: RegistryHost("r.example.org"))
        #expect(found == Credentials(user: "me", password: "p:w"))
    }

    @Test(
        "Credential helpers are refused with a sentence",
        arguments: [
            #"{"credHelpers":{"r.example.org":"secretservice"}}"#, #"{"auths":{"r.example.org":{}},"credsStore":"desktop"}"#,
        ])
    func helpers(text: String) throws {
        let sentence =
            "The credentials for r.example.org are kept by a credential helper, and this program runs none. "
            + "Log in with podman login --authfile, and name that file."
        let found = #expect(throws: RegistryFailure.self) { try user(text, for: "r.example.org/web") }
        #expect(found?.message == sentence)
        #expect(try user(text, for: "other.example.org/web") == nil)
    }

    @Test(
        "A file that is not usable is refused without its content",
        arguments: ["", "[]", "{\"auths\":{\"r.example.org\":{\"auth\":\"hidden\"}}}"])
    func unusable(text: String) throws {
        let found = #expect(throws: RegistryFailure.self) { try user(text, for: "r.example.org/web") }
        #expect(found?.code == .badCredentials)
        #expect(!(found?.message.contains("hidden") ?? true))
    }

    @Test("The usual files are searched in their order, and only a named file must exist")
    func places() throws {
        let environment = ["HOME": "/home/me", "XDG_RUNTIME_DIR": "/run/user/1"]
        #expect(
            CredentialFiles(environment: environment).paths
                == ["/run/user/1/containers/auth.json", "/home/me/.config/containers/auth.json", "/home/me/.docker/config.json"])
        #expect(CredentialFiles(environment: ["REGISTRY_AUTH_FILE": "/a", "HOME": "/b"]).paths == ["/a"])
        let host = try RegistryHost("r.example.org")
        #expect(try CredentialFiles(environment: ["HOME": "/nonexistent"]).credentials(for: "web", at: host) == nil)
        #expect(throws: RegistryFailure.self) {
            try CredentialFiles(environment: ["REGISTRY_AUTH_FILE": "/nonexistent"]).credentials(for: "web", at: host)
        }
    }
}

@Suite("Challenges and addresses")
struct ChallengeTests {
    @Test("Challenges are read with their parameters")
    func reads() {
        let found = Challenge.all(in: [#"Basic realm="a, b", Bearer realm="https://x/\"y",service=z"#, "Negotiate"])
        #expect(
            found == [
                Challenge(scheme: "basic", parameters: ["realm": "a, b"]),
                Challenge(scheme: "bearer", parameters: ["realm": "https://x/\"y", "service": "z"]),
                Challenge(scheme: "negotiate", parameters: [:]),
            ])
    }

    @Test(
        "A broken challenge gives what is before the mistake",
        arguments: ["", ",,,", "Bearer realm=\"x", "= = =", String(repeating: "a=\"", count: 10_000)])
    func broken(text: String) {
        #expect(Challenge.all(in: [text]).allSatisfy { $0.parameters.isEmpty })
    }

    private let secure = RegistryURL(isSecure: true, host: "r.example.org", port: nil, path: "/v2/web/blobs/x?a=1")

    @Test("An address that a registry names is resolved")
    func resolves() throws {
        #expect(try secure.resolving("/a?b=%2F", "names").request == "https://r.example.org/a?b=%2F")
        #expect(try secure.resolving("https://Other.example.org:8443/x", "names").request == "https://other.example.org:8443/x")
        #expect(try secure.resolving("//cdn.example.org/x", "names").origin == "https://cdn.example.org")
        #expect(secure.adding("digest", "sha256:1").request == "https://r.example.org/v2/web/blobs/x?a=1&digest=sha256:1")
    }

    @Test(
        "An address that leaves TLS, leads to this host, or has another scheme is refused",
        arguments: [
            "http://r.example.org/x", "https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://[::ffff:127.0.0.1]/x",
            "https://0.0.0.0/x", "https://127.1/x", "https://2130706433/x", "https://0x7f.1/x", "file:///etc/passwd", "https://",
            "javascript:x", "https://me@r.example.org/", "https://r.example.org:99999/x", "https://r.example.org/a b",
            "https://r.example.org\\@evil/",
        ])
    func refuses(text: String) {
        let found = #expect(throws: RegistryFailure.self) { try secure.resolving(text, "redirects to") }
        #expect(found?.code == .badAnswer)
        #expect(found?.message.hasPrefix("The registry at https://r.example.org redirects to an address that is not used: ") ?? false)
    }

    @Test("A name that only looks like a loopback address is another host")
    func loopback() {
        #expect(!RegistryURL(isSecure: true, host: "127.example.org", port: nil, path: "/").isLoopback)
        #expect(RegistryURL(isSecure: true, host: "127.1.2.3", port: nil, path: "/").isLoopback)
    }

    @Test("Docker Hub's API has its own name, and only listed hosts are spoken to without TLS")
    func endpoints() throws {
        let insecure = try RegistryHost("r.example.org:5000")
        var configuration = RegistryConfiguration(insecureHosts: [insecure])
        #expect(configuration.endpoint(.dockerHub).root.request == "https://registry-1.docker.io/v2/")
        #expect(configuration.endpoint(insecure).root.request == "http://r.example.org:5000/v2/")
        #expect(configuration.endpoint(try RegistryHost("localhost:5000")).root.isSecure)
        configuration.isLoopbackInsecure = true
        #expect(!configuration.endpoint(try RegistryHost("localhost:5000")).root.isSecure)
        #expect(configuration.endpoint(try RegistryHost("r.example.org")).root.isSecure)
    }
}
