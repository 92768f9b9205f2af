import ComposeClient
import ComposeModel
import Foundation
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs watch-tag, watches, unwatch")
struct WatchTagTests {
    @Test("watch-tag does not take --dry-run for a watch, and starts none")
    func dryRun() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["watch-tag", "f26", "--packages", "httpd", "--dry-run"], server: service.address)
            #expect(run.status == .usage && run.err.contains("odcs submit tag"), "\(run.err)")
            #expect(service.calls.isEmpty)
        }
    }

    @Test("watch-tag shows the watch, and how to go on; asking again shows the same one")
    func watchTag() async throws {
        try await ScriptedService.run { service in
            for _ in 1...2 {
                let run = try await CommandRun.odcs(["watch-tag", "f26", "--packages", "httpd"], server: service.address)
                #expect(run.status == .success, "\(run.err)")
                #expect(
                    run.out == """
                        watch     1
                        owner     me
                        tag       f26
                        packages  httpd
                        arches    x86_64
                        results   repository
                        began     2026-11-21 10:04:05 UTC
                        compose   none yet
                        Next: odcs watches 1 --follow
                          or: odcs unwatch 1

                        """)
                #expect(run.err == "")
            }
            #expect(service.lines == ["POST /api/1/watches/", "POST /api/1/watches/"])
        }
    }

    @Test(
        "a wish is sent as that for a compose of the tag is",
        arguments: [
            ("f26 httpd mod_ssl", #"{"source": {"type": "tag", "source": "f26", "packages": ["httpd", "mod_ssl"]}}"#),
            (
                "f26 --packages httpd mod_ssl --arch s390x",
                #"{"source": {"type": "tag", "source": "f26", "packages": ["httpd", "mod_ssl"]}, "arches": ["s390x"]}"#
            ),
            ("f26 ed --package httpd", #"{"source": {"type": "tag", "source": "f26", "packages": ["ed", "httpd"]}}"#),
            (
                "f26 --build ed-1-1 --scratch-build-task 7 --sigkey DB42A60E --no-deps --ttl 2d",
                """
                {"source": {"type": "tag", "source": "f26", "builds": ["ed-1-1"], "scratch_build_tasks": ["7"], "sigkeys": ["DB42A60E"]},
                 "flags": ["no_deps"], "seconds_to_live": 172800}
                """
            ),
        ])
    func sent(arguments: String, body: String) async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["watch-tag"] + arguments.split(separator: " ").map(String.init), server: service.address)

            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(JSONValue.self, from: try #require(service.calls.first).body)
            #expect(try sent == JSONDecoder().decode(JSONValue.self, from: Data(body.utf8)))
        }
    }

    @Test("--follow prints each compose that comes once it is ready or has failed, and what is wrong meanwhile, until the watch has ended")
    func follow() async throws {
        try await ScriptedService.run { service in
            let clock = StepClock { sleep in
                switch sleep {
                case 1: service.changeWatch(1) { $0.problem = "Koji does not answer." }
                case 2:
                    service.put(.example(7, .generating, type: .tag, source: "f26", packages: ["httpd"], at: service.address))
                    service.changeWatch(1) {
                        $0.problem = nil
                        $0.ask(for: 7)
                    }
                case 3: service.change(7) { $0.become(.failed, reason: "no httpd") }
                case 4: service.changeWatch(1) { $0.timeLooked = "2026-11-21T10:10:00Z" }
                case 5:
                    service.put(.example(9, .done, type: .tag, source: "f26", packages: ["httpd"], at: service.address))
                    service.changeWatch(1) { $0.ask(for: 9) }
                default: service.changeWatch(1) { $0.timeEnded = "2026-11-21T11:00:00Z" }
                }
            }
            let run = try await CommandRun.odcs(
                ["watch-tag", "f26", "--packages", "httpd", "--follow"], server: service.address, clock: clock)

            #expect(run.status == .success)
            #expect(run.err == "watch 1: Koji does not answer.\nwatch 1: compose 7\nwatch 1: compose 9\nwatch 1: it has ended\n")
            #expect(run.out.hasPrefix("watch     1\n"))
            #expect(run.out.contains("\nCompose 7 failed: no httpd\nLog: "))
            #expect(run.out.contains("\nCompose 9 is done.\n  repo file  \(service.address)/composes/odcs-9/"))
        }
    }

    @Test("watches ID --follow begins with the newest compose; with --json stdout has composes alone")
    func followJSON() async throws {
        try await ScriptedService.run { service in
            var watch = WatchDocument.example(3)
            watch.ask(for: 7)
            service.put(watch)
            for id in [7, 9] { service.put(.example(id, .done, at: service.address)) }
            let clock = StepClock { sleep in
                service.changeWatch(3) { watch in
                    if sleep == 1 { watch.ask(for: 9) } else { watch.timeEnded = "2026-11-21T11:00:00Z" }
                }
            }
            let run = try await CommandRun.odcs(["watches", "3", "--follow", "--json"], server: service.address, clock: clock)

            #expect(run.status == .success)
            let documents = run.out.replacing("\n}\n{\n", with: "\n}\u{0}{\n").split(separator: "\u{0}")
            #expect(try documents.map { try JSONDecoder().decode(ComposeDocument.self, from: Data($0.utf8)).id } == [7, 9])
        }
    }

    @Test("Ctrl-C stops the following, not the watch, and says how to pick it up and how to end it")
    func interrupted() async throws {
        try await ScriptedService.run { service in
            service.put(WatchDocument.example(3))
            let (interruptions, interrupt) = AsyncStream.makeStream(of: Void.self)
            let clock = StepClock { sleep in
                guard sleep == 2 else { return }
                interrupt.yield()
                try await untilCancelled()
            }
            let run = try await CommandRun.odcs(
                ["watches", "3", "--follow"], server: service.address, clock: clock, interruptions: interruptions)

            #expect(run.status == .interrupted)
            #expect(
                run.err
                    == "odcs: no longer following, but watch 3 goes on; 'odcs watches 3 --follow' picks it up, 'odcs unwatch 3' ends it\n")
        }
    }

    @Test("watches lists those that stand, and with --all those that have ended")
    func list() async throws {
        try await ScriptedService.run { service in
            var (ended, troubled) = (WatchDocument.example(1), WatchDocument.example(2, tag: "f27", packages: []))
            ended.timeEnded = "2026-11-21T11:00:00Z"
            ended.ask(for: 12)
            troubled.timeLooked = "2026-11-21T10:30:00Z"
            troubled.problem = "Koji has no tag called f27."
            service.put(ended)
            service.put(troubled)
            let standing = try await CommandRun.odcs(["watches"], server: service.address)
            #expect(
                standing.out == """
                    ID  TAG  PACKAGES  OWNER  COMPOSE  LOOKED (UTC)         NOTE
                    2   f27  -         me     -        2026-11-21 10:30:00  Koji has no tag called f27.

                    """)
            let all = try await CommandRun.odcs(
                ["watches", "--all", "--owner", "me", "--page", "1", "--limit", "5"], server: service.address)
            #expect(all.out.hasSuffix("\n1   f26  httpd     me     12       -                    ended 2026-11-21 11:00:00\n"))
            #expect(service.lines == ["GET /api/1/watches/", "GET /api/1/watches/?page=1&per_page=5&owner=me&include_ended=true"])

            let json = try await CommandRun.odcs(["watches", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(WatchList.self, from: Data(json.out.utf8)).items == [troubled])
            let one = try await CommandRun.odcs(["watches", "2", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(WatchDocument.self, from: Data(one.out.utf8)) == troubled)
        }
    }

    @Test("without a watch the list says so, and nothing is on stdout")
    func none() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["watches"], server: service.address)
            #expect(run.status == .success)
            #expect(run.out == "")
            #expect(run.err == "No watch matches.\n")
        }
    }

    @Test("unwatch ends a watch, and says so again")
    func unwatch() async throws {
        try await ScriptedService.run { service in
            service.put(WatchDocument.example(3))
            for _ in 1...2 {
                let run = try await CommandRun.odcs(["unwatch", "3"], server: service.address)
                #expect(run.out == "Watch 3 of f26 ended at 2026-11-21 11:00:00 UTC. Its composes stay.\n")
            }
            let json = try await CommandRun.odcs(["unwatch", "3", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(WatchDocument.self, from: Data(json.out.utf8)).timeEnded == "2026-11-21T11:00:00Z")
            let unknown = try await CommandRun.odcs(["unwatch", "4"], server: service.address)
            #expect(unknown.status == .error)
            #expect(unknown.err == "odcs: There is no watch 4. (HTTP 404)\n")
        }
    }

    @Test(
        "what cannot be meant is a mistake of usage, told with what would be right",
        arguments: [
            ("watch-tag", "Missing expected argument '<tag>'"), ("watch-tag f26 --koji-event 5", "a watch is for what it becomes"),
            ("watches --follow", "--follow needs the number of a watch"), ("watches 3 --all", "are for the list"),
            ("watches --page 0", "--page counts from 1"), ("unwatch f26", "'f26' is invalid"), ("watch f26", "'f26' is invalid"),
        ])
    func usage(arguments: String, hint: String) async throws {
        let run = try await CommandRun.odcs(arguments.split(separator: " ").map(String.init))
        #expect(run.status == .usage)
        #expect(run.err.contains(hint), "\(run.err)")
        #expect(run.out == "")
    }

    @Test("the help tells watching a compose from watching a tag")
    func help() async throws {
        let all = try await help("--help")
        #expect(all.contains("watch Print a compose's log while it grows, then its result."))
        #expect(all.contains("watch-tag Have packages of a koji tag composed now, and again whenever they change."))
        #expect(all.contains("watches List the watches that watch-tag began"))
        #expect(all.contains("unwatch End a watch that watch-tag began."))
        #expect(try await help("watch", "--help").contains("It is about one compose; 'odcs watch-tag' has composes made whenever"))
        #expect(try await help("watch-tag", "--help").contains("--packages, --package <name> Packages to take"))
    }

    /// What is printed, with every run of spaces and line ends as one space.
    private func help(_ arguments: String...) async throws -> String {
        try await CommandRun.odcs(arguments).out.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
