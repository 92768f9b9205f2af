import Foundation
import Glibc
import Processes
import SystemPackage
import Testing

@Suite("A child process", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    private let directory = FilePath(FileManager.default.temporaryDirectory.path)

    /// Runs a script that prints the number of a process that it has started, and cancels it as soon as that is read.
    private func cancel(_ script: String) async throws -> pid_t {
        let child = ChildProcess(
            program: "/bin/sh", arguments: ["-c", script], environment: ChildProcess.plainEnvironment(home: directory),
            directory: directory, grace: .milliseconds(200))
        let (pids, sender) = AsyncStream.makeStream(of: pid_t.self)
        let output = OutputTail { line in
            if let pid = pid_t(line) { sender.yield(pid) }
        }
        let running = Task { try await child.run { output.append($0) } }
        var iterator = pids.makeAsyncIterator()
        let pid = try #require(await iterator.next())
        #expect(kill(pid, 0) == 0)
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        return pid
    }

    @Test(
        "canceled, nothing of it is left: neither what it started nor what does not heed the signal",
        arguments: [
            "sleep 100000 & echo $!; wait", "(trap '' TERM; sleep 100000 & echo $!; wait) & wait",
            "trap '' TERM; echo $$; while :; do sleep 1; done",
            // With job control, bash gives each job a process group of its own.
            "exec bash -c 'set -m; sleep 100000 & echo $!; wait'",
        ])
    func canceled(script: String) async throws {
        let pid = try await cancel(script)
        // Whoever is left by a parent that is gone is waited for by the system, a moment later.
        try await Self.expectGone(pid)
    }

    @Test(
        "what it leaves behind when it ends is ended too, even in another process group, and is not waited for",
        arguments: [("", false), ("set -m; ", true)])
    func leftBehind(setting: String, hasOwnGroup: Bool) async throws {
        let child = ChildProcess(
            program: "bash", arguments: ["-c", setting + "sleep 100000 & cut -d ' ' -f 1,5 /proc/$!/stat; printf end"],
            environment: ChildProcess.plainEnvironment(home: directory), directory: directory)
        let output = OutputTail()
        #expect(try await child.run { output.append($0) } == .exited(0))
        output.finish()
        #expect(output.lastLines().last == "end")
        let numbers = output.lastLines()[0].split(separator: " ").compactMap { pid_t($0) }
        #expect((numbers[0] == numbers[1]) == hasOwnGroup)
        try await Self.expectGone(numbers[0])
    }

    /// Waits on the process itself, through /proc: it is gone, or dead and not yet waited for by its new parent.
    private static func expectGone(_ pid: pid_t) async throws {
        while let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat") {
            // The state follows the name in parentheses.
            if String(decoding: status, as: UTF8.self).split(separator: ")").last?.hasPrefix(" Z") == true { return }
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
