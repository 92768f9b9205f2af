import Foundation
import Glibc
import NIOHTTP1
import SystemPackage
import Testing

/// What a service tells its service manager, and what a service manager asks of it.
@Suite("Supervision", .timeLimit(.minutes(2))) struct SupervisionTests {
    @Test(
        "a service says when it prepares its database, when it is ready, that it lives, and that it stops",
        arguments: ["", "@"])
    func messages(prefix: String) async throws {
        try await TestService.with { service in
            let path = prefix.isEmpty ? service.directory.appending("notify").string : "@odcs-\(UUID().uuidString)"
            let socket = try NotifySocket(path)
            defer { socket.end() }
            let variables = ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"]
            try await ServerProcess.with(configuration: service.configuration, variables: variables) { server in
                var messages = socket.messages.makeAsyncIterator()
                #expect(await messages.next() == "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=Preparing the database.")
                var awaited: Set = ["READY=1\nSTATUS=Listening on \(server.url).", "WATCHDOG=1"]
                while !awaited.isEmpty, let message = await messages.next() { awaited.remove(message) }
                // A sign of life is no single message.
                while let message = await messages.next(), message != "WATCHDOG=1" {}
            }
            var last: String?
            for await message in socket.messages {
                last = message
                if message.hasPrefix("STOPPING=1") { break }
            }
            #expect(last == "STOPPING=1\nSTATUS=Stopping: no new requests, and composes go back to the queue.")
        }
    }

    @Test("a worker alone is ready when it waits for composes, and a service without a watchdog sends no signs of life")
    func worker() async throws {
        try await TestService.with(more: "composes: {targets: {default: {url: \"http://localhost/\"}}}") { service in
            let path = service.directory.appending("notify").string
            let socket = try NotifySocket(path)
            defer { socket.end() }
            try await ServerProcess.with("worker", configuration: service.configuration, variables: ["NOTIFY_SOCKET": path]) { _ in }
            var messages: [String] = []
            for await message in socket.messages {
                messages.append(message)
                if message.hasPrefix("STOPPING=1") { break }
            }
            #expect(messages.contains("READY=1\nSTATUS=Waiting for composes."))
            #expect(!messages.contains("WATCHDOG=1"))
        }
    }

    @Test("SIGHUP takes over the log level, and nothing of a configuration with a mistake")
    func reload() async throws {
        try await TestService.running { service, server in
            let file = URL(filePath: service.configuration.string)
            let text = try String(contentsOf: file, encoding: .utf8)
            try Data((text + "\nlog: {level: debug}\n").utf8).write(to: file)
            kill(server.pid, SIGHUP)
            await server.logs("the log level was read again; other settings need a restart")
            #expect(server.logged.contains("level=debug"))
            try Data((text + "\nlog: {level: loud}\n").utf8).write(to: file)
            kill(server.pid, SIGHUP)
            await server.logs("the configuration has a mistake, and nothing of it was taken over")
            #expect(server.logged.contains("log.level: must be one of"))
            let health = try await server.http(.GET, "/healthz")
            #expect(health.status == 200)
        }
    }

    @Test("healthcheck says whether the frontend of the host can serve requests")
    func healthcheck() async throws {
        try await TestService.running { service, server in
            let port = try #require(server.url.split(separator: ":").last.map(String.init))
            func check(_ arguments: String...) async throws -> Program {
                try await Program.run(
                    [Program.own("odcs-server"), "healthcheck", "--config", service.configuration.string] + arguments,
                    environment: ["ODCS_FRONTEND__PORT": port])
            }
            #expect(try await check().output == "ready\n")
            #expect(try await check("--alive").output == "alive\n")
            try FileManager.default.moveItem(atPath: service.composes.string, toPath: service.directory.appending("away").string)
            let unready = try await check()
            #expect(unready.status == 1)
            #expect(unready.complaints == "Error: The target directory default cannot be written.\n")
            #expect(try await check("--alive").status == 0)
            await server.terminate()
            let gone = try await check()
            #expect(gone.status == 1)
            #expect(gone.complaints == "Error: http://127.0.0.1:\(port)/readyz does not answer.\n")
        }
    }
}
