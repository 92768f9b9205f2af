import ComposeModel
import Foundation
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs wait, odcs watch")
struct WaitingTests {
    @Test("wait on a removed compose says how to get it back, with status 1")
    func removed() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .removed, reason: "Removed: its time was over", at: service.address))
            let run = try await CommandRun.odcs(["wait", "12"], server: service.address)

            #expect(run.status == .composeFailed)
            #expect(run.out == "Compose 12 is removed: Removed: its time was over\nNext: odcs renew 12\n")
        }
    }

    @Test("on a terminal one line is redrawn, with the newest line of the log, and taken away at the end")
    func terminal() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .generating, at: service.address))
            let clock = StepClock { sleep in
                switch sleep {
                case 1: service.log(12, "pinned \(String(repeating: "x", count: 60))\n")
                default: service.change(12) { $0.become(.done) }
                }
            }
            let run = try await CommandRun.odcs(["wait", "12"], server: service.address, terminal: 50, clock: clock)

            #expect(run.status == .success)
            let frames = run.err.split(separator: "\r").map { $0.replacing("\u{1B}[K", with: "") }
            #expect(
                frames == [
                    "compose 12: generating 0:00", "compose 12: generating 0:00  pinned xxxxxxxxxxxx…",
                    "compose 12: done 0:00  pinned xxxxxxxxxxxxxxxxxx…", "",
                ])
            #expect(frames.allSatisfy { $0.count < 50 })
            #expect(!run.err.contains("\n"))
            #expect(run.out.hasPrefix("Compose 12 is done.\n"))
        }
    }

    @Test("watch prints the log to stdout as it grows, then what came of it")
    func watch() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .generating, at: service.address))
            service.log(12, "pinned\n")
            let clock = StepClock { _ in
                service.log(12, "no package is \u{1B}[1mcalled edd\n")
                service.change(12) { $0.become(.failed, reason: "no edd") }
            }
            let run = try await CommandRun.odcs(["watch", "12"], server: service.address, clock: clock)

            #expect(run.status == .composeFailed)
            #expect(
                run.out == """
                    pinned
                    no package is U+001B[1mcalled edd
                    Compose 12 failed: no edd
                    Log: \(service.address)/composes/odcs-12/pungi-stderr.log

                    """)
            #expect(run.err == "compose 12: generating\ncompose 12: failed\n")
        }
    }

    @Test("a compose that was deleted is not shown as usable while its files are still there")
    func deleted() async throws {
        try await ScriptedService.run { service in
            var compose = ComposeDocument.example(12, .done, at: service.address)
            compose.removedBy = "boss"
            service.put(compose)
            let run = try await CommandRun.odcs(["watch", "12"], server: service.address)
            #expect(run.status == .composeFailed)
            #expect(run.out == "Compose 12 was deleted by boss. Its files will be removed soon.\nNext: odcs renew 12\n")
        }
    }

    @Test(
        "a compose without packages in its request says what it has",
        arguments: [
            (SourceType.module, "all of the modules"), (.build, "all of the builds"), (.tag, "everything in the source"),
        ])
    func everything(type: SourceType, text: String) async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, type: type, packages: [], at: service.address))
            let run = try await CommandRun.odcs(["wait", "12"], server: service.address)
            #expect(run.out.contains("  packages   \(text)\n"), "\(run.out)")
        }
    }

    @Test("watch --json keeps the log out of stdout")
    func watchJSON() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, at: service.address))
            service.log(12, "pinned\n")
            let run = try await CommandRun.odcs(["watch", "12", "--json"], server: service.address)

            #expect(try JSONDecoder().decode(ComposeDocument.self, from: Data(run.out.utf8)).id == 12)
            #expect(run.err == "pinned\ncompose 12: done\n")
        }
    }

    @Test("watch says when there is no log to be had, and goes on")
    func noLog() async throws {
        try await ScriptedService.run { service in
            let compose = ComposeDocument.example(12, .done, at: service.address)
            service.next(try .json(compose), .init(403, "no"))
            let run = try await CommandRun.odcs(["watch", "12"], server: service.address)

            #expect(run.status == .success)
            #expect(
                run.err.hasPrefix(
                    "odcs: the log cannot be read, waiting on without it: \(compose.toplevelURL)/pungi-stderr.log answered HTTP 403"))
        }
    }

    @Test("Ctrl-C stops the waiting, not the compose, and says how to pick it up")
    func interrupted() async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .wait, at: service.address))
            let (interruptions, interrupt) = AsyncStream.makeStream(of: Void.self)
            let clock = StepClock { sleep in
                guard sleep == 2 else { return }
                interrupt.yield()
                try await untilCancelled()
            }
            let run = try await CommandRun.odcs(["wait", "12"], server: service.address, clock: clock, interruptions: interruptions)

            #expect(run.status == .interrupted)
            #expect(run.out == "")
            #expect(
                run.err
                    == "compose 12: wait\n"
                    + "odcs: no longer waiting, but compose 12 goes on; 'odcs wait 12' picks it up, 'odcs delete 12' cancels it\n")
        }
    }

    @Test("a server that is away is waited for, with words on stderr", arguments: [nil, 60])
    func outage(terminal: Int?) async throws {
        try await ScriptedService.run { service in
            service.put(.example(12, .done, at: service.address))
            for _ in 0..<30 { service.next(.init(502, "<h1>Bad Gateway</h1>", type: "text/html")) }
            let run = try await CommandRun.odcs(["wait", "12", "--quiet"], server: service.address, terminal: terminal)

            #expect(run.status == .success)
            let lines = run.err.split(separator: "\n").map { $0.replacing("\r\u{1B}[K", with: "") }
            try #require(lines.count == 2)
            #expect(lines[0].hasPrefix("odcs: \(service.address)/api/1/composes/12 answered HTTP 502"))
            #expect(lines[0].hasSuffix("; waiting for it to come back"))
            #expect(lines[1] == "odcs: the server answers again")
        }
    }
}
