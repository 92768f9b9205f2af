import ComposeModel
import Foundation
import Glibc
import Synchronization
import SystemPackage
import Testing
import TraceContext
import Tracing

@testable import ComposeWorker

/// Pungi is a script here: it cannot be had where these tests run. What the script sees is what Pungi would.
@Suite("Pungi")
struct PungiTests {
    /// What every script begins with: `$target` is the --target-dir, `$config` the --config.
    private static let prologue = """
        #!/bin/sh
        set -eu
        for argument; do case $argument in --target-dir=*) target=${argument#*=} ;; --config=*) config=${argument#*=} ;; esac; done
        make() { mkdir -p "$target/Test-1/compose/metadata"; echo Test-1-20261121.t.0 > "$target/Test-1/COMPOSE_ID"; echo "$1" > "$target/Test-1/STATUS"; }

        """

    private func configuration(_ place: Workplace, script: String, timeLimit: Duration = .seconds(600)) throws -> PungiConfiguration {
        try place.write(Self.prologue + script + "\n", to: "bin/pungi-koji", isProgram: true)
        var configuration = PungiConfiguration(
            executable: place.directory.appending("bin/pungi-koji").string,
            rawConfigs: ["pungi": .init(url: "file://\(place.directory)/origin", configFilename: "test.conf")])
        configuration.timeLimit = timeLimit
        return configuration
    }

    private func inputs(_ change: (inout ComposeRequest) -> Void = { _ in }) -> PungiInputs {
        var request = ComposeRequest(sourceType: .rawConfig, source: ["pungi#main"], arches: ["x86_64", "s390x"], secondsToLive: 1)
        change(&request)
        let compose = Compose(
            id: 12, owner: "me", request: request, source: "pungi#main", state: .generating, timeSubmitted: .now,
            timeToExpire: .distantFuture,
            resultOf: 12)
        return PungiInputs(compose, source: "pungi", kojiEvent: request.kojiEvent)
    }

    /// Makes a git repository with a configuration; returns the names of its commits, the first one first.
    private func makeOrigin(_ place: Workplace) async throws -> [String] {
        try place.write("release_name = \"first\"\n", to: "origin/test.conf")
        try await place.run("git", ["init", "--quiet", "--initial-branch=main"], in: "origin")
        var commits: [String] = []
        for text in ["first", "second"] {
            try place.write("release_name = \"\(text)\"\n", to: "origin/test.conf")
            try place.write("release_name = \"nested \(text)\"\n", to: "origin/deep/er/other.conf")
            try await place.run("git", ["add", "."], in: "origin")
            try await place.run(
                "git", ["-c", "user.name=me", "-c", "user.email=me@example.org", "commit", "--quiet", "--message=\(text)"], in: "origin")
            commits.append(try await place.run("git", ["rev-parse", "HEAD"], in: "origin").trimmingCharacters(in: .whitespacesAndNewlines))
            if text == "first" { try await place.run("git", ["tag", "v1.0"], in: "origin") }
        }
        return commits
    }

    private func checkOut(_ place: Workplace, _ configuration: PungiConfiguration, _ source: String = "pungi#main") async throws
        -> RawConfigCheckout
    {
        try await RawConfigFetcher(configuration: configuration, log: place.log)
            .checkOut(source, into: place.directory.appending("checkout-\(UUID().uuidString)"))
    }

    private func run(_ place: Workplace, _ configuration: PungiConfiguration, _ inputs: PungiInputs? = nil) async throws -> PungiResult {
        _ = try await makeOrigin(place)
        return try await PungiRunner(configuration: configuration, log: place.log)
            .run(checkOut(place, configuration), for: inputs ?? self.inputs(), in: place.directory.appending("attempt"))
    }

    // MARK: Fetching

    @Test("a branch, a tag, and a commit or its beginning are pinned to the commit's full name")
    func pins() async throws {
        try await Workplace.with { place in
            let commits = try await makeOrigin(place)
            let configuration = try configuration(place, script: "")
            for (word, commit, text) in [
                ("main", commits[1], "second"), ("v1.0", commits[0], "first"), (commits[0], commits[0], "first"),
                (String(commits[1].prefix(8)), commits[1], "second"), ("HEAD", commits[1], "second"),
            ] {
                let checkout = try await checkOut(place, configuration, "pungi#\(word)")
                #expect(checkout.pin == RawConfigPin(name: "pungi", commit: commit))
                #expect(
                    try String(contentsOfFile: checkout.directory.appending("test.conf").string, encoding: .utf8)
                        == "release_name = \"\(text)\"\n")
            }
            var fixed = configuration
            fixed.rawConfigs["pungi"]?.commit = "v1.0"
            #expect(try await checkOut(place, fixed).pin.commit == commits[0])
            let again = try await RawConfigFetcher(configuration: fixed, log: place.log)
                .checkOut(RawConfigPin(name: "pungi", commit: commits[1]), into: place.directory.appending("again"))
            #expect(again.pin.commit == commits[1])
        }
    }

    @Test(
        "what is no commit, branch or tag is refused, and never an option of git",
        arguments: ["--upload-pack=touch", "-h", "main..v1.0", "main@{1}", "v1.0^{tree}", "gone", "0000000", "", "a b", "/main", "main/"])
    func refused(word: String) async throws {
        try await Workplace.with { place in
            _ = try await makeOrigin(place)
            let configuration = try configuration(place, script: "")
            let failure = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration, "pungi#\(word)") }
            #expect(failure?.code == .sourceNotUsable)
        }
    }

    @Test("a commit that no branch or tag has is not fetched")
    func strayCommit() async throws {
        try await Workplace.with { place in
            let commits = try await makeOrigin(place)
            try await place.run("git", ["reset", "--quiet", "--hard", commits[0]], in: "origin")
            let configuration = try configuration(place, script: "")
            let failure = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration, "pungi#\(commits[1])") }
            #expect(failure?.message.hasPrefix("The Pungi configuration pungi has no commit, branch or tag \(commits[1]).") == true)
        }
    }

    @Test("a repository that cannot be fetched, without its address; one that is too large; a name that there is not")
    func cannotFetch() async throws {
        try await Workplace.with { place in
            _ = try await makeOrigin(place)
            var configuration = try configuration(place, script: "")
            let unknown = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration, "pung#main") }
            #expect(unknown?.message == "There is no Pungi configuration called pung; there are pungi.")
            configuration.fetchLimit = 100
            let large = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration) }
            #expect(large?.code == .limitExceeded)
            configuration.fetchLimit = 1 << 30
            configuration.rawConfigs["pungi"]?.url = "file://\(place.directory)/secret"
            let away = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration) }
            #expect(away?.code == .sourceUnreachable && away?.isTransient == false)
            #expect(
                away?.message == "The Pungi configuration pungi cannot be fetched: there is no git repository, or it needs a login.")
            #expect(try !place.text("log").contains("secret"))
            // Nobody listens there.
            configuration.rawConfigs["pungi"]?.url = "http://me:pass%21word@127.0.0.1:1/secret"
            let refused = await #expect(throws: ComposeFailure.self) { try await checkOut(place, configuration) }
            #expect(refused?.code == .sourceUnreachable && refused?.isTransient == true)
            let shown = try place.text("log") + (refused?.message ?? "")
            #expect(!["secret", "pass%21word", "pass!word", place.directory.string].contains(where: shown.contains))
        }
    }

    // MARK: Running

    @Test("Pungi gets the configuration and what the request says, in a clean environment, and its compose is found")
    func success() async throws {
        try await Workplace.with { place in
            setenv("ODCS_TEST_SECRET", "secret", 1)
            var configuration = try configuration(
                place, script: #"printf '%s\n' "$@" > "$target/../arguments"; env > "$target/../environment"; cat "$config"; make FINISHED"#
            )
            configuration.arguments = ["--quiet"]
            configuration.environment = ["KRB5CCNAME": "/somewhere"]
            let inputs = inputs {
                $0.kojiEvent = 42
                $0.label = "RC-1.0"
                $0.composeType = "nightly"
                $0.sigkeys = ["abcd1234", ""]
                $0.builds = ["ed-1-1"]
                $0.parentPungiComposeIDs = ["A-1", "B-1"]
                $0.respinOf = "C-1"
                $0.flags = .noLabel
            }
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let result = try await ServiceContext.$current.withValue(.following(parent)) {
                try await run(place, configuration, inputs)
            }
            #expect(
                result
                    == PungiResult(
                        directory: place.directory.appending("attempt/composes/Test-1"), id: "Test-1-20261121.t.0", isIncomplete: false))
            let arguments = try place.text("attempt/arguments").split(separator: "\n").map(String.init)
            #expect(arguments[0].hasPrefix("--config=") && arguments[0].hasSuffix("/pungi.conf"))
            #expect(
                arguments.dropFirst() == [
                    "--no-latest-link", "--target-dir=\(place.directory)/attempt/composes", "--quiet", "--nightly", "--label=RC-1.0",
                    "--no-label",
                    "--parent-compose-id=A-1", "--parent-compose-id=B-1", "--respin-of=C-1", "--koji-event=42",
                ])
            let environment = try place.text("attempt/environment").split(separator: "\n").map(String.init)
            #expect(!environment.contains { $0.contains("secret") })
            for line in [
                "ODCS_SIGKEYS=abcd1234 ", "ODCS_BUILDS=ed-1-1", "ODCS_ARCHES=x86_64 s390x", "ODCS_LABEL=RC-1.0",
                "ODCS_COMPOSE_TYPE=nightly",
                "ODCS_KOJI_EVENT=42", "ODCS_RAW_CONFIG_SOURCE_NAME=pungi", "HOME=\(place.directory)/attempt", "KRB5CCNAME=/somewhere",
                "TRACEPARENT=\(parent)",
            ] {
                #expect(environment.contains(line))
            }
            #expect(try place.logged.contains("release_name = \"second\""))
        }
    }

    @Test("a type of compose among the configured arguments counts, and an unknown one is a test")
    func types() {
        #expect(inputs { $0.composeType = "nightly" }.arguments(["--ci"]) == ["--ci"])
        #expect(inputs { $0.composeType = "strange" }.arguments([]) == ["--test"])
        #expect(inputs().arguments([]) == ["--test"])
    }

    @Test("a configuration below a directory, and one that is wrapped")
    func wrapped() async throws {
        try await Workplace.with { place in
            try place.write(
                "from raw_config import *\nkeys = '{{ compose.sigkeys }}'\nevent = {{compose.koji_event}}\n", to: "wrapper.conf")
            var configuration = try configuration(
                place, script: #"cat "$config"; cat "${config%/*}/raw_config.conf"; make FINISHED_INCOMPLETE"#)
            configuration.rawConfigs["pungi"]?.configFilename = "deep/er/other.conf"
            configuration.rawConfigs["pungi"]?.wrapper = place.directory.appending("wrapper.conf")
            let result = try await run(
                place, configuration,
                inputs {
                    $0.sigkeys = ["abcd1234", "'\\\n"]
                    $0.kojiEvent = 42
                })
            #expect(result.isIncomplete)
            let logged = try place.logged
            for line in ["from raw_config import *", "keys = 'abcd1234 '", "event = 42", "release_name = \"nested second\""] {
                #expect(logged.contains(line))
            }
        }
    }

    @Test(
        "a wrapper that is not understood",
        arguments: [
            ("{% if compose.builds %}", "a statement of a template language"),
            ("{{ conf.x }}", "is none of compose.arches, compose.builds"),
            ("{{ compose.id", "a {{ in it has no }}"),
        ])
    func wrappers(text: String, why: String) {
        let failure = #expect(throws: ComposeFailure.self) { try PungiWrapper(text: text).filled(with: inputs().members) }
        #expect(failure?.message.contains(why) == true)
    }

    @Test("a configuration file that there is not at that commit, or that lies elsewhere", arguments: ["gone.conf", "link.conf"])
    func noFile(name: String) async throws {
        try await Workplace.with { place in
            var configuration = try configuration(place, script: "make FINISHED")
            configuration.rawConfigs["pungi"]?.configFilename = name
            _ = try await makeOrigin(place)
            let checkout = try await checkOut(place, configuration)
            try FileManager.default.createSymbolicLink(
                atPath: checkout.directory.appending("link.conf").string, withDestinationPath: "/etc/passwd")
            let failure = await #expect(throws: ComposeFailure.self) {
                try await PungiRunner(configuration: configuration, log: place.log).run(
                    checkout, for: inputs(), in: place.directory.appending("attempt"))
            }
            #expect(failure?.message == "The Pungi configuration pungi has no file \(name) at the commit \(checkout.pin.commit).")
        }
    }

    @Test(
        "how it ends is explained with the last that it said",
        arguments: [
            (
                "echo one; echo \"2026 [ERROR   ] no such tag in $target/x\" >&2; make DOOMED; exit 3", ComposeFailure.Code.sourceNotUsable,
                "Pungi ended with the status 3, and left the compose with the STATUS DOOMED. The last that it said:\n2026 [ERROR   ] no such tag in composes/x"
            ),
            ("kill -9 $$", .sourceNotUsable, "Pungi was ended by the signal 9. It said nothing."),
            ("echo fine", .sourceNotUsable, "Pungi ended without an error and has made no compose. The last that it said:\nfine"),
            (
                "make STARTED", .sourceNotUsable,
                "Pungi ended without an error, but its compose is not finished: its STATUS is STARTED. It said nothing."
            ),
            (
                "make ''; rm $target/*/STATUS", .sourceNotUsable,
                "Pungi ended without an error, but its compose is not finished: its STATUS is missing. It said nothing."
            ),
            (
                "echo 'OSError: [Errno 28] No space left on device'; exit 1", .storage,
                "This service's disk is full. The operator of this service has to make room."
            ),
        ])
    func failures(script: String, code: ComposeFailure.Code, message: String) async throws {
        try await Workplace.with { place in
            let configuration = try configuration(place, script: script)
            let failure = await #expect(throws: ComposeFailure.self) { try await run(place, configuration) }
            #expect(failure?.code == code)
            #expect(failure?.message == message)
        }
    }

    @Test("a program that is not installed, and a configuration that the validator refuses")
    func otherPrograms() async throws {
        try await Workplace.with { place in
            var configuration = try configuration(place, script: "make FINISHED")
            try place.write("#!/bin/sh\necho \"bad key in $3\"; exit 1\n", to: "bin/validate", isProgram: true)
            configuration.validator = place.directory.appending("bin/validate").string
            let invalid = await #expect(throws: ComposeFailure.self) { try await run(place, configuration) }
            #expect(invalid?.message == "The Pungi configuration pungi is not valid. The last that it said:\nbad key in ")
            configuration.validator = nil
            configuration.executable = "no-pungi-koji"
            let checkout = try await checkOut(place, configuration)
            let absent = configuration
            let failure = await #expect(throws: ComposeFailure.self) {
                try await PungiRunner(configuration: absent, log: place.log).run(
                    checkout, for: inputs(), in: place.directory.appending("attempt2"))
            }
            #expect(failure?.message == "no-pungi-koji is not installed on this worker. Its operator can help.")
        }
    }

    @Test("one that hangs is ended at its time limit")
    func timeLimit() async throws {
        try await Workplace.with { place in
            let configuration = try configuration(place, script: "sleep 100000", timeLimit: .seconds(1))
            let failure = await #expect(throws: ComposeFailure.self) { try await run(place, configuration) }
            #expect(failure?.code == .limitExceeded)
            #expect(failure?.message == "Pungi took longer than the 1 seconds that this service gives it, and was ended. It said nothing.")
        }
    }

    @Test("much output is all read, and written down up to the limit")
    func muchOutput() async throws {
        try await Workplace.with { place in
            var configuration = try configuration(
                place, script: "yes 0123456789abcdef | head -c 3000000; head -c 100000 /dev/zero; echo; echo the end; make FINISHED")
            configuration.outputLimit = 10_000
            _ = try await run(place, configuration)
            let logged = try place.logged
            #expect(logged.contains("(It prints more than 10000 bytes; the rest is left out.)"))
            #expect(logged.count { $0 == "0123456789abcdef" } == 588)
            #expect(!logged.contains("the end"))
        }
    }
}
