import ComposeModel
import Foundation
import ScriptedService
import Subprocess
import SystemPackage
import Testing

/// The built command as a process of its own: what only the kernel and the shell see.
@Suite("The odcs process")
struct ProcessTests {
    /// The command is built beside the test's own executable.
    private static let command = Executable.path(
        FilePath(URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "odcs").path))

    private static func environment(_ service: String) -> Environment {
        .inherit.updating(["ODCS_SERVER": service, "XDG_CONFIG_HOME": "/nonexistent", "ODCS_TOKEN": "", "ODCS_PROFILE": ""])
    }

    @Test(
        "tells the shell how it went",
        arguments: [("get 1", 0), ("wait 1", 0), ("wait 2", 1), ("get 3", 2), ("get", 64), ("get 1 --server http://127.0.0.1:1", 2)])
    func statuses(arguments: String, status: Int32) async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            service.put(.example(2, .failed, at: service.address))
            let result = try await Subprocess.run(
                Self.command, arguments: Arguments(arguments.split(separator: " ").map(String.init)),
                environment: Self.environment(service.address), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            #expect(result.terminationStatus == .exited(status))
        }
    }

    @Test("SIGINT while waiting ends it with 130 and a word on how to go on")
    func interrupted() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .wait, at: service.address))
            let (asked, ask) = AsyncStream.makeStream(of: Void.self)
            // By its first look at the compose, the command has long begun to listen for signals.
            service.next { _ in
                ask.yield()
                return try .json(ComposeDocument.example(1, .wait, at: service.address))
            }
            let result = try await Subprocess.run(
                Self.command, arguments: ["wait", "1"], environment: Self.environment(service.address), input: .none,
                output: .string(limit: 1 << 16), error: .string(limit: 1 << 16)
            ) { execution in
                for await _ in asked { break }
                try execution.send(signal: .interrupt)
            }
            #expect(result.terminationStatus == .exited(130))
            #expect(result.standardError.contains("'odcs wait 1' picks it up"))
        }
    }

    @Test("a reader that goes away ends it without a word")
    func brokenPipe() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            let command = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "odcs").path
            let result = try await Subprocess.run(
                .path("/bin/sh"), arguments: ["-c", #"{ "$0" get 1; echo $? >&2; } | exec true"#, command],
                environment: Self.environment(service.address), output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            #expect(result.standardError == "141\n")
        }
    }
}
