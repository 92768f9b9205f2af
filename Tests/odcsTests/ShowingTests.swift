import ComposeClient
import ComposeModel
import Foundation
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs get, list, renew, delete, about")
struct ShowingTests {
    @Test("get shows what a person asks of a compose, and leaves out what has no value")
    func get() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .failed, reason: "no edd\nin x86_64", at: service.address))
            let run = try await CommandRun.odcs(["get", "12"], server: service.address)

            #expect(run.status == .success)
            #expect(
                run.out == """
                    id          12
                    state       failed
                    reason      no edd in x86_64
                    owner       me
                    source      repo https://example.org/repo
                    packages    ed
                    arches      x86_64
                    results     repository
                    submitted   2026-11-21 10:04:05 UTC
                    expires     2026-11-22 10:04:05 UTC
                    repo file   \(service.address)/composes/odcs-12/compose/Temporary/odcs-12.repo
                    repository  \(service.address)/composes/odcs-12/compose/Temporary

                    """)
        }
    }

    @Test("list is a table; in a pipe only long texts are cut, on a terminal every line fits")
    func list() async throws {
        try await ScriptedService.run { service in
            let packages = (1...20).map { "package\($0)" }
            service.put(.example(7, .done, at: service.address))
            service.put(.example(12, .wait, type: .tag, source: "f26", packages: packages, at: service.address))
            let piped = try await CommandRun.odcs(["list"], server: service.address)
            let shown = try await CommandRun.odcs(["list"], server: service.address, terminal: 100)

            let long = packages.joined(separator: " ").prefix(79) + "…"
            let pad = String(repeating: " ", count: long.count - 8)
            #expect(
                piped.out == """
                    ID  STATE  TYPE  SOURCE                    PACKAGES\(pad)  OWNER  SUBMITTED (UTC)      EXPIRES (UTC)
                    12  wait   tag   f26                       \(long)  me     2026-11-21 10:04:05  2026-11-22 10:04:05
                    7   done   repo  https://example.org/repo  ed\(pad)        me     2026-11-21 10:04:05  2026-11-22 10:04:05

                    """)
            let lines = shown.out.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(lines.allSatisfy { $0.count <= 100 })
            #expect(lines[1].contains("package1 p") && lines[1].contains("…"))
        }
    }

    @Test("list --json is the service's page")
    func listJSON() async throws {
        try await ScriptedService.run { service in
            service.put(.example(7, .done, at: service.address))
            let run = try await CommandRun.odcs(["list", "--json"], server: service.address)
            let list = try JSONDecoder().decode(ComposeList.self, from: Data(run.out.utf8))
            #expect(list.items.map(\.id) == [7])
            #expect(run.out.contains(#"        "prev": null"#))
        }
    }

    @Test("list passes its filters on", arguments: [["--order", "-time_done"], ["--order=-time_done"]])
    func filters(order: [String]) async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(
                ["list", "--state", "done", "--type", "raw-config", "--owner", "me", "--page", "2", "--limit", "5"] + order,
                server: service.address)

            #expect(run.status == .success)
            #expect(run.err == "No compose matches.\n")
            #expect(run.out == "")
            #expect(service.lines == ["GET /api/1/composes/?page=2&per_page=5&owner=me&source_type=5&state=2&order_by=-time_done"])
        }
    }

    @Test("renew says until when the compose lives, or which one takes its place")
    func renew() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, at: service.address))
            let longer = try await CommandRun.odcs(["renew", "12", "--ttl", "1h"], server: service.address)
            #expect(longer.out == "Compose 12 expires at 2026-11-22 10:04:05 UTC.\n")

            service.next(try .json(ComposeDocument.example(13, .wait, at: service.address)))
            let again = try await CommandRun.odcs(
                ["renew", "12", "--sigkey", "db42a60e", "--build", "ed-1-1", "--no-wait"], server: service.address)
            #expect(again.out == "Compose 13 is made from the inputs of 12: wait.\nNext: odcs wait 13\n")

            let sent = try service.calls.map { try JSONDecoder().decode(JSONValue.self, from: $0.body) }
            #expect(
                sent == [
                    .object(["seconds_to_live": .integer(3600)]),
                    .object([
                        "sigkeys": .array([.string("db42a60e")]), "source": .object(["builds": .array([.string("ed-1-1")])]),
                    ]),
                ])
        }
    }

    @Test("renew waits for the compose that takes the place of another")
    func renewWaits() async throws {
        try await ScriptedService.run { service in
            service.put(.example(13, .generating, at: service.address))
            service.next(try .json(ComposeDocument.example(13, .wait, at: service.address)))
            let clock = StepClock { _ in service.change(13) { $0.become(.done) } }
            let run = try await CommandRun.odcs(["renew", "12", "--label", "RC-1.0"], server: service.address, clock: clock)

            #expect(run.status == .success)
            #expect(run.err == "compose 13 is made from the inputs of 12\ncompose 13: generating\ncompose 13: done\n")
            #expect(run.out.hasPrefix("Compose 13 is done.\n"))
        }
    }

    @Test("delete passes on what the service says")
    func delete() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .wait, at: service.address))
            let run = try await CommandRun.odcs(["delete", "12"], server: service.address)
            #expect(run.out == "Compose 12 is canceled\n")
            let json = try await CommandRun.odcs(["delete", "12", "--json"], server: service.address)
            #expect(json.out == "{\n    \"message\": \"Compose 12 is canceled\",\n    \"status\": 202\n}\n")
        }
    }

    @Test("about names the service")
    func about() async throws {
        try await ScriptedService.run { service in
            let run = try await CommandRun.odcs(["about"], server: service.address)
            #expect(
                run.out == """
                    server              \(service.address)
                    version             1.0
                    authentication      noauth
                    sigkeys             db42a60e
                    raw configurations  fedora

                    """)
            let json = try await CommandRun.odcs(["about", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(ServiceDescription.self, from: Data(json.out.utf8)).rawConfigURLs != nil)
        }
    }

    @Test("a time to live is seconds or has a unit")
    func timeToLive() {
        let seconds = ["90", "90s", "90m", "1h", "2d", "1w", "0", "-1", "1y", "", "99999999999999999999", "9999999999999999999w"]
            .map { TimeToLive(argument: $0)?.seconds }
        #expect(seconds == [90, 90, 5400, 3600, 172_800, 604_800, nil, nil, nil, nil, nil, nil])
    }

    @Test("a progress line shows minutes and seconds")
    func progress() {
        var line = ProgressLine(id: 3)
        line.state = "generating"
        line.elapsed = .milliseconds(65_900)
        line.newest = "solving\tx86_64\u{7}"
        #expect(line.text(columns: 80) == "compose 3: generating 1:05  solving x86_64U+0007")
        #expect(line.text(columns: 20) == "compose 3: generat…")
        line.state = "wait"
        line.queue = QueueDocument(ahead: 11, reason: "11 composes are ahead, 2 of them yours.", estimateSeconds: 200).text()
        #expect(
            line.text(columns: 120) == "compose 3: wait 1:05  position 12, about 3 minutes: 11 composes are ahead, 2 of them yours.")
    }

    @Test("a waiting compose is shown with its place in the queue")
    func queue() async throws {
        try await ScriptedService.run { service in
            var compose = ComposeDocument.example(7, .wait, at: service.address)
            compose.queue = QueueDocument(ahead: 0, reason: "It is the next one, when a worker has a free slot.", estimateSeconds: 1)
            service.put(compose)
            let run = try await CommandRun.odcs(["get", "7"], server: service.address)
            #expect(run.out.contains(/queue +position 1, about 1 second: It is the next one, when a worker has a free slot.\n/))
            // A person who waits sees why the last attempt failed.
            compose.stateReason = "Attempt 1 of 3 failed and will be repeated shortly: The disk is full."
            service.put(compose)
            let clock = StepClock { _ in service.change(7) { $0.become(.done) } }
            let waited = try await CommandRun.odcs(["wait", "7"], server: service.address, clock: clock)
            #expect(
                waited.err.hasPrefix(
                    "compose 7: wait, position 1, about 1 second: It is the next one, when a worker has a free slot. "
                        + "Attempt 1 of 3 failed and will be repeated shortly: The disk is full.\n"), "\(waited.err)")
        }
    }

    @Test("what a server says in escape sequences, line breaks and turns of direction is shown as code points")
    func foreign() async throws {
        try await ScriptedService.run { service in
            let evil = "x\nforged\u{9B}2J\u{202E}"
            service.put(.example(7, .failed, source: "y\u{1B}[31m", packages: [evil], reason: evil, at: service.address))
            for arguments in [["get", "7"], ["list"], ["wait", "7"], ["get", "7", "--json"], ["list", "--json"]] {
                let run = try await CommandRun.odcs(arguments, server: service.address)
                let text = run.out + run.err
                #expect(!text.unicodeScalars.contains { $0 != "\n" && ($0.properties.generalCategory == .control || $0 == "\u{202E}") })
                #expect(!text.split(separator: "\n").contains { $0.hasPrefix("forged") }, "\(text)")
            }
            let json = try await CommandRun.odcs(["get", "7", "--json"], server: service.address)
            #expect(try JSONDecoder().decode(ComposeDocument.self, from: Data(json.out.utf8)).packages == evil)
        }
    }

    @Test("list has no line that is longer than somebody reads, however long a request is")
    func longList() async throws {
        try await ScriptedService.run { service in
            service.put(.example(7, .done, packages: (1...10_000).map { "package-with-a-usual-name-\($0)" }, at: service.address))
            service.put(.example(8, .done, source: String(repeating: "e\u{301}", count: 100_000), at: service.address))
            for terminal in [nil, 1000, 100] {
                let run = try await CommandRun.odcs(["list"], server: service.address, terminal: terminal)
                #expect(run.out.split(separator: "\n").allSatisfy { $0.count < 400 })
            }
        }
    }
}
