import ComposeClient
import ComposeModel
import Foundation
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs submit")
struct SubmitTests {
    @Test("waits, tells each change on stderr, and the outcome with what to do next on stdout")
    func success() async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { sleep in
                switch sleep {
                case 1: service.change(1) { $0.become(.generating) }
                case 3: service.change(1) { $0.become(.done) }
                default: break
                }
            }
            let run = try await CommandRun.odcs(
                ["submit", "repo", "https://example.org/repo", "ed", "grep"], server: service.address, clock: clock)

            #expect(run.status == .success)
            #expect(run.err == "compose 1: wait\ncompose 1: generating\ncompose 1: done\n")
            #expect(
                run.out == """
                    Compose 1 is done.
                      repo file  \(service.address)/composes/odcs-1/compose/Temporary/odcs-1.repo
                      packages   ed grep
                      expires    2026-11-22 10:04:05 UTC
                    Next: sudo curl -o /etc/yum.repos.d/odcs-1.repo \(service.address)/composes/odcs-1/compose/Temporary/odcs-1.repo
                      or: dnf --repofrompath 'odcs-1,\(service.address)/composes/odcs-1/compose/Temporary/$basearch/os' --repo odcs-1 list

                    """)
        }
    }

    @Test("a dry run is not sent to a service that would make the compose, such as the original ODCS")
    func dryRun() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["submit", "repo", "https://example.org/repo", "ed", "--dry-run"], server: service.address)
            #expect(run.status != .success && run.out == "")
            #expect(run.err == "odcs: ODCS at \(service.address) has no dry runs, and would make the compose\n")
            #expect(service.lines.allSatisfy { $0.hasPrefix("GET ") })
        }
    }

    @Test("a compose that fails gives its reason on stdout and status 1")
    func failure() async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { _ in
                service.change(1) { $0.become(.failed, reason: "no package is called edd in x86_64; the nearest is ed") }
            }
            let run = try await CommandRun.odcs(
                ["submit", "repo", "https://example.org/repo", "edd"], server: service.address, clock: clock)

            #expect(run.status == .composeFailed)
            #expect(
                run.out == """
                    Compose 1 failed: no package is called edd in x86_64; the nearest is ed
                    Log: \(service.address)/composes/odcs-1/pungi-stderr.log

                    """)
        }
    }

    @Test("--json leaves stdout to the document, with sorted keys", arguments: [ComposeState.done, .failed])
    func json(end: ComposeState) async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { _ in service.change(1) { $0.become(end, reason: "so") } }
            let run = try await CommandRun.odcs(["submit", "tag", "f26", "--json"], server: service.address, clock: clock)

            let compose = try JSONDecoder().decode(ComposeDocument.self, from: Data(run.out.utf8))
            #expect(compose.stateName == end.name)
            #expect(run.status == (end == .done ? .success : .composeFailed))
            let keys = run.out.split(separator: "\n").compactMap { $0.firstMatch(of: #/^    "(\w+)": /#)?.1 }
            #expect(keys.contains("toplevel_url"))
            #expect(keys == keys.sorted())
        }
    }

    @Test("--no-wait returns what the service accepted, and says how to go on")
    func noWait() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["submit", "tag", "f26", "--no-wait"], server: service.address)

            #expect(run.status == .success)
            #expect(run.out == "Compose 1 is accepted: wait.\nNext: odcs wait 1\n")
            #expect(run.err == "")
            #expect(service.lines == ["POST /api/1/composes/"])
        }
    }

    @Test("--watch prints the log")
    func watch() async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { _ in
                service.log(1, "resolving x86_64\n")
                service.change(1) { $0.become(.done) }
            }
            let run = try await CommandRun.odcs(["submit", "tag", "f26", "--watch"], server: service.address, clock: clock)
            #expect(run.out.hasPrefix("resolving x86_64\nCompose 1 is done.\n"))
        }
    }

    @Test(
        "each kind of source is sent as the contract writes it",
        arguments: [
            ("tag f26 httpd mod_ssl --koji-event 5", #"{"type":"tag","source":"f26","packages":["httpd","mod_ssl"],"koji_event":5}"#),
            (
                "tag f26 --build ed-1-1 --scratch-build-task 7",
                #"{"type":"tag","source":"f26","builds":["ed-1-1"],"scratch_build_tasks":["7"]}"#
            ),
            (
                "raw_config fedora main --koji-event 5 --build ed-1-1",
                #"{"type":"raw_config","source":"fedora#main","koji_event":5,"builds":["ed-1-1"]}"#
            ),
            (
                "tag f26 --modular-koji-tag m --module-defaults-url u --module-defaults-commit c",
                #"{"type":"tag","source":"f26","modular_koji_tags":["m"],"module_defaults_url":"u","module_defaults_commit":"c"}"#
            ),
            ("module httpd:2.4 nodejs:18", #"{"type":"module","source":"httpd:2.4 nodejs:18"}"#),
            ("module --scratch-module a:b:1:c", #"{"type":"module","scratch_modules":["a:b:1:c"]}"#),
            (
                "module a:b --base-module-br-name platform --base-module-br-stream f30 --base-module-br-stream-version-lte 3",
                #"{"type":"module","source":"a:b","base_module_br_name":"platform","base_module_br_stream":"f30","base_module_br_stream_version_lte":3}"#
            ),
            ("repo https://a/r ed --source https://b/r", #"{"type":"repo","source":"https://a/r https://b/r","packages":["ed"]}"#),
            ("pulp rhel-7-rpms rhel-8-rpms", #"{"type":"pulp","source":"rhel-7-rpms rhel-8-rpms"}"#),
            ("raw_config fedora#main", #"{"type":"raw_config","source":"fedora#main"}"#),
            ("raw-config fedora#main", #"{"type":"raw_config","source":"fedora#main"}"#),
            ("build --scratch-build-task 7", #"{"type":"build","scratch_build_tasks":["7"]}"#),
            ("build ed-1-1 grep-2-2 --package ed", #"{"type":"build","builds":["ed-1-1","grep-2-2"],"packages":["ed"]}"#),
            ("pungi_compose https://a/compose ed", #"{"type":"pungi_compose","source":"https://a/compose","packages":["ed"]}"#),
        ])
    func sources(arguments: String, source: String) async throws {
        try await ScriptedService.run { service in
            let words = arguments.split(separator: " ").map(String.init)
            let run = try await CommandRun.odcs(["submit"] + words + ["--no-wait"], server: service.address)

            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            let expected = try JSONDecoder().decode(JSONValue.self, from: Data(#"{"source": \#(source)}"#.utf8))
            #expect(sent == expected)
        }
    }

    @Test("every option reaches the request, and none that was not given does")
    func options() async throws {
        try await ScriptedService.run { service in
            let arguments = """
                submit tag f26 --no-wait --arch x86_64 --arch s390x --flag no-inheritance --flag no_reuse --no-deps --no-reuse \
                --lookaside https://a/r --multilib-arch x86_64 --multilib-method devel --results boot.iso --ttl 2d --label RC-1.0 \
                --compose-type test --target-dir private
                """
            let words = arguments.split(separator: " ").map(String.init) + ["--sigkey", "DB42A60E", "--sigkey", "", "--sigkey", "none"]
            let run = try await CommandRun.odcs(words, server: service.address)

            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            let expected = """
                {"source": {"type": "tag", "source": "f26", "sigkeys": ["DB42A60E", "", ""]}, "arches": ["x86_64", "s390x"], "flags": ["no_deps", "no_inheritance", "no_reuse"],
                 "lookaside_repos": ["https://a/r"], "multilib_arches": ["x86_64"], "multilib_method": ["devel"], "results": ["boot.iso"],
                 "seconds_to_live": 172800, "label": "RC-1.0", "compose_type": "test", "target_dir": "private"}
                """
            #expect(try sent == JSONDecoder().decode(JSONValue.self, from: Data(expected.utf8)))
        }
    }

    @Test(
        "how Koji's files are to be had reaches the request of a tag and of builds",
        arguments: [("tag f26", #"{"type":"tag","source":"f26"}"#), ("build ed-1-1", #"{"type":"build","builds":["ed-1-1"]}"#)])
    func kojiFiles(arguments: String, source: String) async throws {
        try await ScriptedService.run { service in
            let words = "submit \(arguments) --no-wait --delivery reference --on-unsigned wait --unsigned-wait 90m"
            let run = try await CommandRun.odcs(words.split(separator: " ").map(String.init), server: service.address)
            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            let expected = #"{"source": \#(source), "delivery": "reference", "on_unsigned": "wait", "unsigned_wait_seconds": 5400}"#
            #expect(try sent == JSONDecoder().decode(JSONValue.self, from: Data(expected.utf8)))
        }
    }

    @Test("a directory becomes an absolute path; URLs, absolute paths and other words stay")
    func directories() async throws {
        let home = try TemporaryDirectory(files: ["tests-repo/repodata/repomd.xml": "", "extra/x": ""])
        let words = "./tests-repo extra/ ../\(home.path.split(separator: "/").last ?? "")/extra https://a/./r /srv/r nowhere"
        #expect(
            try RepositoryLocation.resolve(words, in: home.path) == [
                "\(home.path)/tests-repo", "\(home.path)/extra", "\(home.path)/extra", "https://a/./r", "/srv/r", "nowhere",
            ])
    }

    @Test("a relative path that is no directory is told before anything is asked")
    func noDirectory() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["submit", "repo", "./tests-rep", "ed"], server: service.address)

            #expect(run.status == .error)
            #expect(run.err == "odcs: ./tests-rep is not a directory here; a repository is a directory with repodata in it, or a URL\n")
            #expect(service.calls.isEmpty)
        }
    }

    @Test(
        "what cannot be meant is a mistake of usage, told with what would be right",
        arguments: [
            ("submit tag f26 --flag no_dep", "no_deps"), ("submit tag f26 --ttl soon", "'soon' is invalid for '--ttl <time>'"),
            ("submit tag f26 --no-wait --watch", "--no-wait and --watch exclude each other"), ("submit module", "Name a module"),
            ("submit tag f26 --unsigned-wait 1h", "--unsigned-wait goes with --on-unsigned wait"),
            ("submit build ed-1-1 --delivery copy", "'copy' is invalid for '--delivery <way>'"),
            ("submit tag f26 --module-defaults-url u", "come together"),
            ("submit raw_config fedora", "as in 'fedora main'"), ("submit raw_config fedora#main main", "as in 'fedora main'"),
            ("submit repo", "Missing expected argument '<repository>'"),
            ("list --order size", "--order is one of id, owner"), ("list --page 0", "--page counts from 1"),
            ("get twelve", "'twelve' is invalid"),
        ])
    func usage(arguments: String, hint: String) async throws {
        let run = try await CommandRun.odcs(arguments.split(separator: " ").map(String.init))
        #expect(run.status == .usage)
        #expect(run.err.hasPrefix("odcs: "))
        #expect(run.err.contains(hint))
        #expect(run.out == "")
    }
}
