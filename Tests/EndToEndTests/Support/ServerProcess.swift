import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// A process of `odcs-server` while it runs.
struct ServerProcess: Sendable {
    let pid: pid_t
    /// Where its frontend listens; empty for a worker.
    let url: String
    private let ended: Signal<Int>
    private let log: Log

    /// What the process has logged so far.
    var logged: String { log.text }

    /// Waits until the process has logged a line with `text`, or has ended.
    func logs(_ text: String) async { await log.line(with: text) }

    /// Runs `odcs-server ROLE` with a configuration until `body` returns; ends it by SIGTERM then, if it still runs.
    ///
    /// `body` begins when the frontend listens, or, for a worker or a publisher, when it runs.
    ///
    /// - Parameters:
    ///   - umask: What the process is started with, as umask(1) takes it.
    ///   - variables: Variables of its environment, besides those of this process.
    static func with<R: Sendable>(
        _ role: String = "run", configuration: FilePath, umask: String = "022", program: String = Program.own("odcs-server"),
        variables: [String: String] = [:],
        _ body: @escaping @Sendable (ServerProcess) async throws -> R
    ) async throws -> R {
        let ended = Signal<Int>()
        let log = Log()
        var environment: [Environment.Key: String?] = ["LC_ALL": "C.UTF-8"]
        for (name, value) in variables { environment[Environment.Key(stringLiteral: name)] = value }
        let outcome = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", "umask \(umask); exec \"$0\" \"$@\"", program, role, "--config", configuration.string],
            environment: .inherit.updating(environment), input: .none, output: .discarded, error: .sequence
        ) { execution in
            try await withThrowingTaskGroup(of: R?.self) { group in
                let (urls, url) = AsyncStream.makeStream(of: String.self)
                let stderr = execution.standardError
                group.addTask {
                    for try await line in stderr.strings() {
                        log.append(line)
                        if line.contains("listening"), let address = line.split(separator: " ").first(where: { $0.hasPrefix("address=") }) {
                            url.yield(String(address.dropFirst("address=".count)))
                        } else if role == "worker" && line.contains("worker runs") || line.contains("publishing events") {
                            url.yield("")
                        }
                    }
                    url.finish()
                    log.end()
                    await ended.send(0)
                    return nil
                }
                group.addTask {
                    var addresses = urls.makeAsyncIterator()
                    guard let address = await addresses.next() else { throw DidNotStart(log: log.text) }
                    let server = ServerProcess(pid: execution.processIdentifier.value, url: address, ended: ended, log: log)
                    let result: Result<R, any Error>
                    do { result = .success(try await body(server)) } catch { result = .failure(error) }
                    if await !ended.isSent { try execution.send(signal: .terminate) }
                    _ = await ended.value
                    return try result.get()
                }
                var answer: R?
                while let result = try await group.next() {
                    if let result { answer = result }
                }
                guard let answer else { throw DidNotStart(log: log.text) }
                return answer
            }
        }
        return outcome.closureResult
    }

    /// Ends the process at once, as a crash or the out-of-memory killer would, and waits until it has ended.
    func kill() async {
        Foundation.kill(pid, SIGKILL)
        _ = await ended.value
    }

    /// Asks the process to stop, and waits until it has.
    func terminate() async {
        Foundation.kill(pid, SIGTERM)
        _ = await ended.value
    }

    /// What the process has said so far.
    private final class Log: Sendable {
        private struct State {
            var lines = ""
            var isComplete = false
            var waiting: [(text: String, continuation: CheckedContinuation<Void, Never>)] = []
        }

        private let state = Mutex(State())

        var text: String { state.withLock(\.lines) }

        func append(_ line: String) {
            state.withLock { state in
                state.lines += line + "\n"
                for wait in state.waiting where line.contains(wait.text) { wait.continuation.resume() }
                state.waiting.removeAll { line.contains($0.text) }
            }
        }

        /// Notes that no line follows.
        func end() {
            state.withLock { state in
                state.isComplete = true
                for wait in state.waiting { wait.continuation.resume() }
                state.waiting = []
            }
        }

        func line(with text: String) async {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    if state.isComplete || state.lines.contains(text) {
                        continuation.resume()
                    } else {
                        state.waiting.append((text, continuation))
                    }
                }
            }
        }
    }

    struct DidNotStart: Error, CustomStringConvertible {
        let log: String
        var description: String { "odcs-server ended before it was ready:\n\(log)" }
    }
}

/// Something that happens once and that any number of tasks await.
actor Signal<Value: Sendable> {
    private var sent: Value?
    private var waiting: [CheckedContinuation<Value, Never>] = []

    var isSent: Bool { sent != nil }

    func send(_ value: Value) {
        guard sent == nil else { return }
        sent = value
        for continuation in waiting { continuation.resume(returning: value) }
        waiting = []
    }

    var value: Value {
        get async {
            if let sent { return sent }
            return await withCheckedContinuation { waiting.append($0) }
        }
    }
}
