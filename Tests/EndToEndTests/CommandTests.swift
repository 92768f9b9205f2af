import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// The command line against the real service: what it prints in a pipe, and what it tells the shell.
@Suite(.sharedService, .timeLimit(.minutes(3))) struct CommandTests {
    private func running() throws -> ServerProcess { try SharedService.current.server }

    private func document(_ program: Program) throws -> ComposeDocument {
        try JSONDecoder().decode(ComposeDocument.self, from: Data(program.output.utf8))
    }

    private static let testsRepo = Checkout.testsRepo.string

    @Test("submit waits, tells each state on stderr and the outcome on stdout")
    func submit() async throws {
        let server = try running()
        let program = try await server.odcs("submit", "repo", Self.testsRepo, "libed-data", "--no-deps", "--no-reuse")
        #expect(program.status == 0)
        let id = try #require(Int(program.output.dropFirst("Compose ".count).prefix { $0.isNumber }))
        let compose = try await server.compose(id)
        let expires = try #require(compose.timeToExpire).replacing("T", with: " ").replacing("Z", with: " UTC")
        #expect(
            program.output == """
                Compose \(id) is done.
                  repo file  \(server.url)/composes/odcs-\(id)/compose/Temporary/odcs-\(id).repo
                  packages   libed-data
                  expires    \(expires)
                  note       Done: 2 packages.
                Next: sudo curl -o /etc/yum.repos.d/odcs-\(id).repo \(server.url)/composes/odcs-\(id)/compose/Temporary/odcs-\(id).repo
                  or: dnf --repofrompath 'odcs-\(id),\(server.url)/composes/odcs-\(id)/compose/Temporary/$basearch/os' --repo odcs-\(id) list

                """)
        // How many states are seen on the way depends on how often it looks; no line is redrawn, no escape sequence is sent.
        let states = program.complaints.split(separator: "\n").map(String.init)
        #expect(states.last == "compose \(id): done")
        #expect(states.allSatisfy { ["wait", "generating", "done"].map { "compose \(id): \($0)" }.contains($0) })
    }

    @Test("a compose that fails is status 1, with the reason and where its log is")
    func failed() async throws {
        let server = try running()
        let program = try await server.odcs("submit", "repo", Self.testsRepo, "nowhere")
        #expect(program.status == 1)
        let id = try #require(Int(program.output.dropFirst("Compose ".count).prefix { $0.isNumber }))
        #expect(
            program.output == """
                Compose \(id) failed: nowhere is not there for x86_64.
                Log: \(server.url)/composes/odcs-\(id)/pungi-stderr.log

                """)
        let log = try await server.odcs("watch", "\(id)")
        #expect(log.status == 1)
        #expect(log.output.contains(" ERROR nowhere is not there for x86_64.\n"))
        #expect(log.output.hasSuffix(program.output))
        let waited = try await server.odcs("wait", "\(id)")
        #expect(waited.status == 1)
        #expect(waited.output == program.output)
        #expect(waited.complaints == "compose \(id): failed\n")
    }

    @Test("--json prints the compose as the service has it, and nothing else on stdout")
    func json() async throws {
        let server = try running()
        // No other test asks for this one: an equal compose would change when it expires.
        let submitted = try await server.odcs("submit", "repo", Self.testsRepo, "ed-words", "--no-wait", "--json")
        #expect(submitted.status == 0)
        #expect(submitted.complaints == "")
        let id = try document(submitted).id
        for command in [["wait"], ["watch"], ["get"]] {
            let program = try await Program.run([Program.own("odcs")] + command + ["\(id)", "--json", "--server", server.url])
            #expect(program.status == 0)
            #expect(try document(program) == (try await server.compose(id)))
        }
    }

    @Test("--no-wait returns at once and says how to go on")
    func noWait() async throws {
        let server = try running()
        let program = try await server.odcs("submit", "repo", Self.testsRepo, "libed-data", "--no-wait")
        #expect(program.status == 0)
        let id = try #require(Int(program.output.dropFirst("Compose ".count).prefix { $0.isNumber }))
        #expect(program.output == "Compose \(id) is accepted: wait.\nNext: odcs wait \(id)\n")
        #expect(try await server.odcs("wait", "\(id)").status == 0)
    }

    @Test("list shows what the filters leave, a line each")
    func list() async throws {
        let server = try running()
        let done = try await server.compose("repo", Self.testsRepo, "libed-data", "--label", "RC-4.2")
        let program = try await server.odcs("list", "--label", "RC-4.2")
        #expect(program.status == 0)
        let lines = program.output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.first?.split(separator: " ").prefix(6) == ["ID", "STATE", "TYPE", "SOURCE", "PACKAGES", "OWNER"])
        #expect(
            lines.last?.split(separator: " ").prefix(6).map(String.init) == [
                "\(done.id)", "done", "repo", Self.testsRepo, "libed-data", "unknown",
            ])
        let nothing = try await server.odcs("list", "--label", "RC-9.9")
        #expect(nothing.status == 0)
        #expect(nothing.output == "")
        #expect(nothing.complaints == "No compose matches.\n")
    }

    @Test("renew and delete say in a line what happened")
    func renewAndDelete() async throws {
        let server = try running()
        let compose = try await server.compose("repo", Self.testsRepo, "libed-data", "--no-reuse")
        let renewed = try await server.odcs("renew", "\(compose.id)", "--ttl", "2d")
        let expires = try #require(try await server.compose(compose.id).timeToExpire).replacing("T", with: " ").replacing("Z", with: " UTC")
        #expect(renewed.status == 0)
        #expect(renewed.output == "Compose \(compose.id) expires at \(expires).\n")
        let deleted = try await server.odcs("delete", "\(compose.id)")
        #expect(deleted.status == 0)
        #expect(deleted.output == "Compose \(compose.id) has expired; its files will be removed soon.\n")
        let again = try await server.odcs("renew", "\(compose.id)", "--label", "RC-1.0", "--no-wait")
        #expect(again.status == 0)
        let new = try #require(Int(again.output.dropFirst("Compose ".count).prefix { $0.isNumber }))
        #expect(new > compose.id)
        #expect(again.output == "Compose \(new) is made from the inputs of \(compose.id): wait.\nNext: odcs wait \(new)\n")
        #expect(try await server.odcs("wait", "\(new)").status == 0)
    }

    @Test("about says which service answers")
    func about() async throws {
        let server = try running()
        let program = try await server.odcs("about")
        #expect(program.status == 0)
        #expect(program.output.hasPrefix("server          \(server.url)\nversion         "))
    }

    @Test("what is refused is status 2 with the service's own words")
    func refused() async throws {
        let server = try running()
        let unknown = try await server.odcs("get", "999999")
        #expect(unknown.status == 2)
        #expect(unknown.output == "")
        #expect(unknown.complaints == "odcs: There is no compose 999999. (HTTP 404)\n")
        let tag = try await server.odcs("submit", "tag", "f26", "httpd")
        #expect(tag.status == 2)
        #expect(
            tag.complaints
                == "odcs: This server makes no composes of the source type tag: the setting koji.hub is missing in its configuration. (HTTP 400)\n"
        )
    }

    @Test("a server that is not there is status 2, and says what to look at")
    func notThere() async throws {
        let program = try await Program.run(
            [Program.own("odcs"), "list", "--server", "http://127.0.0.1:1"], environment: ["XDG_CONFIG_HOME": "/nonexistent"])
        #expect(program.status == 2)
        #expect(program.output == "")
        #expect(
            program.complaints
                == "odcs: cannot reach ODCS at http://127.0.0.1:1: connection refused; is the server running, is the address right "
                + "(--server, ODCS_SERVER, ~/.config/odcs.toml)?\n")
    }
}
