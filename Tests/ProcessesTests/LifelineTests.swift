import Foundation
import Glibc
import SystemPackage
import Testing

@testable import Processes

@Suite("A program on a lifeline", .timeLimit(.minutes(1)))
struct LifelineTests {
    private let directory = FilePath(FileManager.default.temporaryDirectory.path)
    /// A duration for sleep(1) that only the processes of one test have as an argument.
    private let mark = "1\(UInt32.random(in: 100_000_000...999_999_999))"

    private func child(_ script: String, grace: Duration = ChildProcess.grace) -> ChildProcess {
        ChildProcess(
            program: "sh", arguments: ["-c", script, "sh", mark], environment: ChildProcess.plainEnvironment(home: directory),
            directory: directory, grace: grace, lifeline: Lifeline())
    }

    @Test("its status is kept, and its output is passed on", arguments: [(0, "exit 0"), (7, "exit 7"), (128 + 15, "kill -TERM $$")])
    func status(status: CInt, script: String) async throws {
        let output = OutputTail()
        let ending = try await child("echo out; echo err >&2; \(script)").run { output.append($0) }
        #expect(ending == .exited(status))
        #expect(output.lastLines().starts(with: ["out", "err"]))
    }

    @Test("it sees no process of the host, and reads nothing of the pipe")
    func sight() async throws {
        let output = OutputTail()
        _ = try await child("cat; cat /proc/1/comm; ls -d /proc/[0-9]* | wc -l").run { output.append($0) }
        let lines = output.lastLines()
        #expect(lines.first == "sh")
        #expect(try #require(lines.last.flatMap { Int($0.trimmingCharacters(in: .whitespaces)) }) < 10)
    }

    @Test("what it leaves behind is ended with it, even in another session")
    func leftBehind() async throws {
        #expect(try await child("setsid sleep $1 & sleep 0").run { _ in } == .exited(0))
        try await HostProcesses.expectNone(with: mark)
    }

    @Test(
        "canceled, nothing of it is left: neither another session nor what does not heed the signal",
        arguments: ["setsid sleep $1 & echo on; wait", "trap '' TERM; setsid sleep $1 & echo on; while :; do sleep 1; done"])
    func canceled(script: String) async throws {
        let child = child(script, grace: .milliseconds(200))
        let (signs, sender) = AsyncStream.makeStream(of: Void.self)
        let running = Task { try await child.run { _ in sender.yield() } }
        var iterator = signs.makeAsyncIterator()
        _ = await iterator.next()
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        try await HostProcesses.expectNone(with: mark)
    }

    @Test("canceled, it has time for cleanup")
    func cleanup() async throws {
        let child = child("trap 'echo cleaned; exit 0' TERM; echo on; while :; do sleep 0.01; done")
        let (signs, sender) = AsyncStream.makeStream(of: Void.self)
        let output = OutputTail { _ in sender.yield() }
        let running = Task { try await child.run { output.append($0) } }
        var iterator = signs.makeAsyncIterator()
        _ = await iterator.next()
        running.cancel()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(output.lastLines().last == "cleaned")
    }

    @Test("kill -9 of the process that holds the pipe leaves no process")
    func holderIsKilled() async throws {
        let script = "trap '' TERM; setsid sleep $1 & sleep $1"
        let command = Lifeline().command("sh", ["-c", script, "sh", mark])
        // The first sleep holds the pipe, as the worker does.
        let pipeline = ChildProcess(
            program: "bash", arguments: ["-c", "{ echo $BASHPID >&2; exec sleep 100000; } | \"$@\"", "bash"] + command,
            environment: ChildProcess.plainEnvironment(home: directory), directory: directory)
        let (pids, sender) = AsyncStream.makeStream(of: pid_t.self)
        let output = OutputTail { line in if let pid = pid_t(line) { sender.yield(pid) } }
        let running = Task { try await pipeline.run { output.append($0) } }
        var iterator = pids.makeAsyncIterator()
        let pid = try #require(await iterator.next())
        try await HostProcesses.expect(2, with: mark, named: "sleep")
        #expect(kill(pid, SIGKILL) == 0)
        // They would sleep for years.
        try await HostProcesses.expectNone(with: mark)
        #expect(try await running.value == .exited(128 + SIGKILL))
    }

    @Test("the pipe is not inherited by another program, which could hold it open")
    func inheritance() async throws {
        let pipe = try LifelinePipe()
        defer {
            try? pipe.reading.close()
            try? pipe.holding.close()
        }
        for end in [pipe.reading, pipe.holding] { #expect(fcntl(end.rawValue, F_GETFD) & FD_CLOEXEC != 0) }
    }
}

/// The processes of this host, as /proc shows them.
enum HostProcesses {
    /// Returns the processes that have a text among their arguments.
    static func with(_ argument: String, named name: String? = nil) -> [String] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.filter { pid_t($0) != nil } ?? []
        return numbers.filter { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
            let arguments = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            return arguments.dropFirst().contains(argument) && (name == nil || arguments.first == name)
        }
    }

    /// Waits until no process has the argument. The time limit of the test bounds it.
    static func expectNone(with argument: String) async throws { try await expect(0, with: argument) }

    /// Waits until as many processes have the argument.
    static func expect(_ count: Int, with argument: String, named name: String? = nil) async throws {
        while with(argument, named: name).count != count {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
