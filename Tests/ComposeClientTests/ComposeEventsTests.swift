import ComposeModel
import HTTPTypes
import ScriptedService
import Testing

@testable import ComposeClient

@Suite("Following a compose")
struct ComposeEventsTests {
    @Test("waiting yields the compose at once, then each change, and ends with the final state")
    func changes() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .wait, at: service.address))
            let clock = StepClock { sleep in
                switch sleep {
                case 2: service.change(3) { $0.become(.generating) }
                case 5: service.change(3) { $0.become(.done) }
                default: break
                }
            }
            var states: [String] = []
            for try await compose in try client(service, clock: clock).wait(3) { states.append(compose.stateName) }

            #expect(states == ["wait", "generating", "done"])
            #expect(service.calls.count == 6)
            // A service that can wait answers when there is a change.
            #expect(service.lines[1].contains("/api/1/composes/3?wait=20&while=wait"))
            #expect(service.lines[5].contains("/api/1/composes/3?wait=20&while=generating"))
        }
    }

    @Test("a compose that is over already is told, without a pause", arguments: [ComposeState.done, .failed, .removed])
    func already(state: ComposeState) async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, state, at: service.address))
            let clock = StepClock()
            var states: [Int] = []
            for try await compose in try client(service, clock: clock).wait(3) { states.append(compose.state) }

            #expect(states == [state.rawValue])
            #expect(clock.sleeps.isEmpty)
        }
    }

    @Test("pauses grow while nothing happens, stay below two seconds, and are short again after a change")
    func pauses() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .wait, at: service.address))
            let clock = StepClock { sleep in
                switch sleep {
                case 15: service.change(3) { $0.become(.generating) }
                case 16: service.change(3) { $0.become(.done) }
                default: break
                }
            }
            for try await _ in try client(service, clock: clock).wait(3) {}

            let pauses = clock.sleeps
            try #require(pauses.count == 16)
            #expect(pauses[0] <= .milliseconds(200))
            #expect(pauses[10...14].allSatisfy { $0 >= .seconds(1) })
            #expect(pauses.allSatisfy { $0 <= .seconds(2) })
            #expect(pauses[15] <= .milliseconds(200))
        }
    }

    @Test("waiting outlasts a restart of the service")
    func restart() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .wait, at: service.address))
            let clock = StepClock { sleep in
                guard sleep == 1 else { return }
                for _ in 0..<10 { service.next(Answer(502, "<h1>Bad Gateway</h1>")) }
                service.change(3) { $0.become(.done) }
            }
            var states: [String] = []
            for try await compose in try client(service, clock: clock).wait(3) { states.append(compose.stateName) }
            #expect(states == ["wait", "done"])
        }
    }

    @Test("waiting for what does not exist fails at once")
    func missing() async throws {
        try await ScriptedService.run { service in
            await #expect(throws: ComposeClientError(.refused, "No such compose: 9 (HTTP 404)", status: 404)) {
                for try await _ in try client(service).wait(9) {}
            }
        }
    }

    @Test("the log is followed in whole lines from before it exists to a last line without an end")
    func log() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .wait, at: service.address))
            let clock = StepClock { sleep in
                switch sleep {
                case 1: service.change(3) { $0.become(.generating) }
                case 2: service.log(3, "one\ntw")
                case 3: service.log(3, "o\n\nthr")
                case 5:
                    service.log(3, "ee")
                    service.change(3) { $0.become(.done) }
                default: break
                }
            }
            var lines: [String] = []
            for try await line in try client(service, token: "secret", clock: clock).log(3) { lines.append(line) }

            #expect(lines == ["one", "two", "", "three"])
            let reads = service.calls.filter { $0.path == "/composes/odcs-3/pungi-stderr.log" }
            let starts = reads.map { $0.headers[.range]?.dropFirst(6).prefix { $0 != "-" } }
            #expect(starts == ["0", "0", "0", "6", "12", "12"])
            #expect(reads.allSatisfy { $0.headers[.authorization] == nil })
        }
    }

    @Test("what the log says comes before the end that it leads to")
    func order() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .generating, at: service.address))
            service.log(3, "begin\n")
            let clock = StepClock { _ in
                service.log(3, "end\n")
                service.change(3) { $0.become(.failed, reason: "broken") }
            }
            var told: [String] = []
            for try await event in try client(service, clock: clock).follow(3, log: true) {
                switch event {
                case .changed(let compose): told.append("[\(compose.stateName)]")
                case .logged(let line): told.append(line)
                case .logUnreadable(let error): told.append("\(error)")
                case .unchanged: break
                }
            }
            #expect(told == ["[generating]", "begin", "end", "[failed]"])
        }
    }

    @Test("a log that is begun anew, shorter, is read from its start")
    func replaced() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .generating, at: service.address))
            service.log(3, "first attempt\n")
            let clock = StepClock { sleep in
                switch sleep {
                case 1: service.replaceLog(3, "second\n")
                default: service.change(3) { $0.become(.done) }
                }
            }
            var lines: [String] = []
            for try await line in try client(service, clock: clock).log(3) { lines.append(line) }
            #expect(lines == ["first attempt", "second"])
        }
    }

    @Test("a long log is read to its end", arguments: [true, false])
    func long(withRanges: Bool) async throws {
        try await ScriptedService.run { service in
            if !withRanges { service.ignoreRanges() }
            service.put(.example(3, .done, at: service.address))
            let expected = (0..<12_000).map { "line \($0) \(String(repeating: "x", count: 100))" }
            service.log(3, expected.joined(separator: "\n") + "\n")
            var lines: [String] = []
            for try await line in try client(service).log(3) { lines.append(line) }

            #expect(lines.count == expected.count)
            #expect(lines == expected)
        }
    }

    @Test("a login page in place of the log is named, not taken for it")
    func loginPage() async throws {
        try await ScriptedService.run { service in
            let compose = ComposeDocument.example(3, .done, at: service.address)
            service.next(try .json(compose), Answer(200, "<html><title>Sign in</title></html>", type: "text/html"))
            let error = try await #require(throws: ComposeClientError.self) {
                for try await _ in try client(service).log(3) {}
            }
            #expect(error.description.contains("answered HTTP 200 with text/html") && error.description.contains("Sign in"))
        }
    }

    @Test("a log that another server refuses is told once, and the compose is followed on")
    func unreadable() async throws {
        try await ScriptedService.run { service in
            let elsewhere = try await ScriptedService.run { $0.address }
            var compose = ComposeDocument.example(3, .generating, at: service.address)
            compose.toplevelURL = "\(service.address)/forbidden"
            service.put(compose)
            // This service has no event streams.
            service.next(try .json(compose), try .refusal(404, "no stream"), Answer(403, "no", type: "text/plain"))
            let clock = StepClock { _ in service.change(3) { $0.become(.done) } }
            var told: [String] = []
            for try await event in try client(service, clock: clock).follow(3, log: true) {
                switch event {
                case .changed(let compose): told.append(compose.stateName)
                case .logUnreadable(let error): told.append("\(error.status ?? 0)")
                case .logged, .unchanged: told.append("?")
                }
            }
            #expect(told == ["generating", "403", "done"])

            // One that cannot be reached at all is given up only once nothing more can come.
            service.change(3) { $0.toplevelURL = elsewhere }
            await #expect(throws: ComposeClientError.self) {
                for try await _ in try client(service).log(3) {}
            }
        }
    }

    @Test("a task that is cancelled stops waiting")
    func cancellation() async throws {
        try await ScriptedService.run { service in
            service.put(.example(3, .wait, at: service.address))
            let (sleeping, fellAsleep) = AsyncStream.makeStream(of: Void.self)
            let clock = StepClock { _ in
                fellAsleep.yield()
                try await untilCancelled()
            }
            let client = try client(service, clock: clock)
            await withTaskGroup(of: Bool.self) { group in
                group.addTask {
                    do {
                        for try await _ in client.wait(3) {}
                        return false
                    } catch {
                        return error is CancellationError
                    }
                }
                for await _ in sleeping { break }
                group.cancelAll()
                #expect(await group.next() == true)
            }
        }
    }
}
