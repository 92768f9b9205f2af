import Foundation
import ImageTestKit
import Testing

@testable import odcs

@Suite("odcs image login")
struct ImageLoginTests {
    @Test("The registry checks a password from standard input, and podman's file gets it")
    func login() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            let arguments = ["image", "login", "\(registry.host)", "-u", TestRegistry.user, "--password-stdin", "--insecure"]
            let run = try await CommandRun.odcs(arguments, input: .piped("\(TestRegistry.password)\n"))
            #expect(run.status == .success, "\(run.err)")
            #expect(
                run.out == "\(registry.host) accepts \(TestRegistry.user). The credentials are kept in HOME/.config/containers/auth.json.\n"
            )
            let json = try await CommandRun.odcs(
                arguments + ["--json"], environment: ["REGISTRY_AUTH_FILE": "mine.json"], input: .piped(TestRegistry.password))
            #expect(json.out.contains("\"checked\": true"))
            #expect(json.out.contains("\"file\": \"HOME/mine.json\""))
            let wrong = try await CommandRun.odcs(arguments, input: .piped("wrong"))
            #expect(wrong.status == .error)
            #expect(wrong.err == "odcs: The registry at http://\(registry.host) does not accept this user name with this password.\n")
        }
    }

    @Test("A person is asked, and what they type as password is not printed")
    func asks() async throws {
        try await TestRegistry.with { registry in
            let run = try await CommandRun.odcs(
                ["image", "login", "\(registry.host)/team", "--authfile", "a/auth.json", "--insecure"], terminal: 80,
                input: .person("me", "hidden"))
            #expect(run.status == .success)
            #expect(run.err == "User name for \(registry.host)/team: Password: \n")
            #expect(
                run.out
                    == "\(registry.host)/team asked for no credentials, so it did not check them. They are kept in HOME/a/auth.json.\n")
            let ended = try await CommandRun.odcs(
                ["image", "login", "\(registry.host)", "--insecure"], terminal: 80, input: .person("me"))
            #expect(ended.status == .interrupted)
        }
    }

    @Test(
        "An answer that cannot be used is explained",
        arguments: [
            ("r.example.org", "", "there is no terminal to ask for the password"), ("a/b/c", "x", "is not the address of a registry"),
            ("r.example.org -u me --password-stdin", "", "the password is empty"),
            ("r.example.org -u me --password-stdin", "a\nb", "the password is more than one line"),
            ("r.example.org -u a:b --password-stdin", "x", "must not have a colon"), ("r.example.org --password-stdin", "x", "--username"),
        ])
    func unusable(arguments: String, text: String, sentence: String) async throws {
        let run = try await CommandRun.odcs(
            ["image", "login"] + arguments.split(separator: " ").map(String.init), input: .piped(text))
        #expect(run.status == .usage || run.status == .error)
        #expect(run.err.contains(sentence), "\(run.err)")
    }

    @Test("A typed line can be corrected, ended and interrupted")
    func typed() {
        func type(_ text: String) -> TypedLine.Result? {
            var line = TypedLine()
            return text.utf8.lazy.map { line.take($0) }.first { $0 != .more }
        }
        #expect(type("secret\n") == .done("secret"))
        #expect(type("seé\u{7F}cret\r") == .done("secret"))
        #expect(type("wrong\u{15}right\n") == .done("right"))
        #expect(type("a\u{4}") == .done("a"))
        #expect(type("\u{4}") == .done(nil))
        #expect(type("a\u{3}") == .done(nil))
        #expect(type("a") == nil)
    }
}
