import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// Composes that Pungi makes. A program of the test acts as Pungi, which is not installed here: it writes what Pungi writes.
@Suite(.timeLimit(.minutes(5))) struct RawConfigTests {
    private static let pungi = """
        #!/bin/sh
        set -e
        for argument; do case $argument in --target-dir=*) target=${argument#--target-dir=} ;; --config=*) config=${argument#--config=} ;; esac; done
        echo "composing from $(cat "$config")"
        made=$target/Ed-1-20261121.t.0
        mkdir -p "$made/compose/Server/x86_64/os/Packages"
        echo package > "$made/compose/Server/x86_64/os/Packages/ed.rpm"
        echo Ed-1-20261121.t.0 > "$made/COMPOSE_ID"
        echo "$STATUS_TO_LEAVE" > "$made/STATUS"
        $MORE
        """

    /// Runs `body` with a service that has the configuration `ed`, in a git repository of its own.
    private func withService(
        status: String = "FINISHED", more: String = "", _ body: @escaping @Sendable (TestService, ServerProcess) async throws -> Void
    ) async throws {
        let place = try TemporaryDirectory()
        defer { place.remove() }
        let program = place.path.appending("pungi-koji")
        try Data(Self.pungi.replacing("$STATUS_TO_LEAVE", with: status).replacing("$MORE", with: more).utf8).write(
            to: URL(filePath: program.string))
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.string)
        let origin = place.path.appending("origin")
        let made = try await Program.run([
            "sh", "-ec",
            """
            git init --quiet --initial-branch=main \(origin) && cd \(origin)
            echo "release_name = 'Ed'" > ed.conf && git add ed.conf
            git -c user.name=t -c user.email=t@t commit --quiet --message=first
            """,
        ])
        guard made.isSuccess else { throw made }
        try await TestService.running(
            more: "raw_config: {pungi_koji: \"\(program)\", configs: {ed: {url: \"file://\(origin)\", config_filename: ed.conf}}}", body)
    }

    @Test("what Pungi makes is published, with its log, its id and the commit of the configuration")
    func published() async throws {
        try await withService { service, server in
            let compose = try await server.compose("raw-config", "ed#main")
            #expect(compose.stateName == "done", "\(compose.stateReason ?? "")")
            #expect(compose.stateReason == "Done: 1 package, by Pungi.")
            #expect(compose.resultRepo == "" && compose.resultRepofile == "")
            #expect(compose.pungiComposeID == "Ed-1-20261121.t.0")
            #expect(compose.source.wholeMatch(of: /ed#[0-9a-f]{40}/) != nil)
            let package = try await server.http(.GET, "\(compose.toplevelURL)/compose/Server/x86_64/os/Packages/ed.rpm")
            #expect(package.text == "package\n")
            let log = try await server.http(.GET, "\(compose.toplevelURL)/pungi-stderr.log")
            #expect(log.text.contains("composing from release_name = 'Ed'"))
            #expect(!log.text.contains(service.directory.string))
            #expect(try service.traces(of: compose.id).sorted() == ["latest-odcs-\(compose.id)-1", "odcs-\(compose.id)"])
        }
    }

    @Test("links that Pungi leaves are not followed when this service writes beside them")
    func links() async throws {
        let victim = try TemporaryDirectory()
        defer { victim.remove() }
        let file = victim.path.appending("victim")
        try Data("untouched".utf8).write(to: URL(filePath: file.string))
        let more = "for name in compose.lock.json pungi-stderr.log; do ln -s \(file) \"$made/$name\"; done"
        try await withService(more: more) { service, server in
            let compose = try await server.compose("raw-config", "ed#main")
            #expect(compose.stateName == "done", "\(compose.stateReason ?? "")")
            #expect(try String(contentsOfFile: file.string, encoding: .utf8) == "untouched")
            #expect(try await server.http(.GET, "\(compose.toplevelURL)/compose.lock.json").text.contains("\"configuration\""))
            #expect(try await server.http(.GET, "\(compose.toplevelURL)/pungi-stderr.log").text.contains("Pungi"))
        }
    }

    @Test("a compose that Pungi does not finish fails with its status, and leaves no directory")
    func doomed() async throws {
        try await withService(status: "DOOMED") { service, server in
            let compose = try await server.compose("raw-config", "ed#main")
            #expect(compose.stateName == "failed")
            #expect(
                compose.stateReason?.hasPrefix("Pungi ended without an error, but its compose is not finished: its STATUS is DOOMED.")
                    == true)
            #expect(try service.traces(of: compose.id) == [])
        }
    }

    @Test("an unknown configuration is refused with those that there are, and a branch that is none fails by name")
    func unknown() async throws {
        try await withService { _, server in
            let answer = try await server.post("{\"source\": {\"type\": \"raw_config\", \"source\": \"edd#main\"}}")
            #expect(answer.status == 400)
            #expect(try answer.message == "source.source names \"edd\", which is no Pungi configuration of this server; these are: ed.")
            let compose = try await server.compose("raw-config", "ed#no-such-branch")
            #expect(compose.stateName == "failed")
            #expect(compose.stateReason?.contains("no-such-branch") == true)
        }
    }
}
