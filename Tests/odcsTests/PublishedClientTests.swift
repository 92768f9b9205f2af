import ComposeClient
import ComposeModel
import Foundation
import ScriptedService
import Testing

@testable import odcs

/// What scripts written for the published Python client give, and read.
@Suite("odcs by the Python client's names")
struct PublishedClientTests {
    @Test(
        "each of its commands is sent as that client sends it",
        arguments: [
            (
                "create-tag f26 httpd --sigkey DB42A60E --sigkey none --arch x86_64 --arch s390x --koji-event 5 --build ed-1-1 --flag no_deps "
                    + "--modular-tag m --lookaside-repo https://a/r --module-defaults-url u --module-defaults-commit c --scratch-module a:b:1:c",
                """
                {"source": {"type": "tag", "source": "f26", "packages": ["httpd"], "sigkeys": ["DB42A60E", ""], "koji_event": 5,
                  "builds": ["ed-1-1"], "modular_koji_tags": ["m"], "module_defaults_url": "u", "module_defaults_commit": "c",
                  "scratch_modules": ["a:b:1:c"]},
                 "arches": ["x86_64", "s390x"], "flags": ["no_deps"], "lookaside_repos": ["https://a/r"]}
                """
            ),
            (
                "create-module httpd:2.4 a:b:1:c --base-module-br-name platform --base-module-br-stream el8 --modular-tag m "
                    + "--base-module-br-stream-version-lte 80301 --base-module-br-stream-version-gte 80000 --scratch-module d:e:1:f",
                """
                {"source": {"type": "module", "source": "httpd:2.4 a:b:1:c", "base_module_br_name": "platform", "base_module_br_stream": "el8",
                  "modular_koji_tags": ["m"], "base_module_br_stream_version_lte": 80301, "base_module_br_stream_version_gte": 80000,
                  "scratch_modules": ["d:e:1:f"]}}
                """
            ),
            (
                "create-build ed-1-1 grep-2-2 --sigkey none --target-dir private --arch x86_64",
                """
                {"source": {"type": "build", "builds": ["ed-1-1", "grep-2-2"], "sigkeys": [""]}, "target_dir": "private", "arches": ["x86_64"]}
                """
            ),
            (
                "create-pulp rhel-7 rhel-8 --flag ignore_absent_pulp_repos",
                #"{"source": {"type": "pulp", "source": "rhel-7 rhel-8"}, "flags": ["ignore_absent_pulp_repos"]}"#
            ),
            (
                "create-raw-config fedora main --no-label --compose-type nightly --koji-event 5 --build ed-1-1",
                """
                {"source": {"type": "raw_config", "source": "fedora#main", "koji_event": 5, "builds": ["ed-1-1"]}, "flags": ["no_label"],
                 "compose_type": "nightly"}
                """
            ),
            (
                "create tag f26 httpd --result iso --label RC-1.0",
                #"{"source": {"type": "tag", "source": "f26", "packages": ["httpd"]}, "results": ["iso"], "label": "RC-1.0"}"#
            ),
            ("create build ed-1-1 grep-2-2", #"{"source": {"type": "build", "builds": ["ed-1-1", "grep-2-2"]}}"#),
            ("create raw_config fedora#main", #"{"source": {"type": "raw_config", "source": "fedora#main"}}"#),
        ])
    func sent(arguments: String, body: String) async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["--no-wait"] + words(arguments), server: service.address)

            #expect(run.status == .success, "\(run.err)")
            #expect(service.lines == ["POST /api/1/composes/"])
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            #expect(try sent == JSONDecoder().decode(JSONValue.self, from: Data(body.utf8)))
        }
    }

    @Test(
        "with --json stdout has a line that names the compose, then JSON with sorted keys and four spaces",
        arguments: [("create-tag f26", "create-tag"), ("create-raw-config a b", "create-raw-config"), ("create tag f26", "create")])
    func announced(arguments: String, name: String) async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { _ in service.change(1) { $0.become(.done) } }
            let run = try await CommandRun.odcs(words(arguments) + ["--json"], server: service.address, clock: clock)

            let parts = run.out.split(separator: "\n", maxSplits: 1)
            #expect(run.status == .success)
            #expect(parts.first == "Waiting for command \(name) on compose 1 to finish.")
            let json = try #require(parts.last)
            #expect(json.hasPrefix("{\n    \"arches\": \"x86_64\",\n"))
            #expect(json.contains("\n    \"state_name\": \"done\",\n"))
            #expect(try JSONDecoder().decode(ComposeDocument.self, from: Data(json.utf8)).id == 1)
        }
    }

    @Test("--quiet leaves out the line and the progress", arguments: ["create-tag f26", "wait 1"])
    func quiet(arguments: String) async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .generating, at: service.address))
            let clock = StepClock { _ in service.change(1) { $0.become(.done) } }
            service.next(try .json(ComposeDocument.example(1, .wait, at: service.address)))
            let run = try await CommandRun.odcs(["--quiet"] + words(arguments) + ["--json"], server: service.address, clock: clock)

            #expect(run.out.hasPrefix("{\n"))
            #expect(run.err == "")
        }
    }

    @Test("wait and renew leave stdout to the JSON: that client has the line there only where there is something to wait for")
    func notAnnounced() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .generating, at: service.address))
            let clock = StepClock { _ in service.change(12) { $0.become(.failed, reason: "no edd") } }
            let waited = try await CommandRun.odcs(["wait", "12", "--json"], server: service.address, clock: clock)
            service.next(try .json(ComposeDocument.example(12, .wait, at: service.address)))
            let renewed = try await CommandRun.odcs(["renew", "11", "--json"], server: service.address)

            #expect(waited.status == .composeFailed)
            #expect(renewed.status == .composeFailed)
            #expect(waited.out.hasPrefix("{\n"))
            #expect(renewed.out == waited.out)
        }
    }

    @Test("wait --watch prints the log, wait --no-wait what is")
    func waitOptions() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, at: service.address))
            service.log(12, "pinned\n")
            let watched = try await CommandRun.odcs(["wait", "--watch", "12"], server: service.address)
            #expect(watched.out.hasPrefix("pinned\nCompose 12 is done.\n"))

            service.put(.example(13, .wait, at: service.address))
            let asked = try await CommandRun.odcs(["--no-wait", "wait", "13"], server: service.address)
            #expect(asked.out == "Compose 13 is accepted: wait.\nNext: odcs wait 13\n")
        }
    }

    @Test("options of all commands may come before the command or after it", arguments: [true, false])
    func options(areFirst: Bool) async throws {
        try await ScriptedService.run { service in
            let (command, options) = (["create-tag", "f26"], ["--server", service.address, "--no-wait", "--json"])
            let run = try await CommandRun.odcs(areFirst ? options + command : command + options)

            #expect(run.status == .success, "\(run.err)")
            #expect(run.out.hasPrefix("{\n"))
            #expect(service.lines == ["POST /api/1/composes/"])
        }
    }

    @Test("renew --seconds-to-live is a time to live")
    func renew() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, at: service.address))
            let run = try await CommandRun.odcs(["renew", "12", "--seconds-to-live", "60", "--json"], server: service.address)

            #expect(run.out.hasPrefix("{\n"))
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            #expect(sent == .object(["seconds_to_live": .integer(60)]))
        }
    }

    @Test("its names are in the help and in the completions")
    func listed() async throws {
        for arguments in [["--help"], ["--generate-completion-script", "bash"]] {
            let run = try await CommandRun.odcs(arguments)
            for name in ["create-tag", "create-module", "create-build", "create-pulp", "create-raw-config"] {
                #expect(run.out.contains(name), "\(name) in \(arguments)")
            }
        }
        #expect(try await CommandRun.odcs(["create-tag", "--help"]).out.contains("--modular-tag"))
    }

    @Test("JSON is as Python's json.dumps(…, indent=4, sort_keys=True) has it")
    func json() throws {
        let value = JSONValue.object([
            "b": .array([.integer(1), .number(1.5), .null, .array([]), .object([:])]), "a/é": .string("x/\"\n"), "B": .bool(true),
        ])
        #expect(
            try JSONText(value).text == """
                {
                    "B": true,
                    "a/é": "x/\\"\\n",
                    "b": [
                        1,
                        1.5,
                        null,
                        [],
                        {}
                    ]
                }
                """)
    }

    private func words(_ arguments: String) -> [String] { arguments.split(separator: " ").map(String.init) }
}
