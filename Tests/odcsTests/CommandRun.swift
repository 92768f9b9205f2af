import ComposeClient
import Foundation
import ScriptedService
import Synchronization

@testable import odcs

/// One run of the command in the test's process, with its streams kept.
struct CommandRun {
    let status: ExitStatus
    let out: String
    let err: String

    /// Runs `odcs` with `arguments` against `server`.
    ///
    /// - Parameters:
    ///   - files: written below an otherwise empty directory, which is HOME and where the command stands.
    ///   - terminal: how many columns both streams have; `nil` for pipes.
    ///   - input: the standard input, which is empty by default.
    static func odcs(
        _ arguments: [String], server: String? = nil, environment: [String: String] = [:], files: [String: String] = [:],
        terminal: Int? = nil, input: Input = .none, clock: StepClock = StepClock(),
        interruptions: AsyncStream<Void>? = nil
    ) async throws -> CommandRun {
        let home = try TemporaryDirectory(files: files)
        let (out, err) = (Kept(), Kept())
        var variables = ["HOME": home.path]
        variables["ODCS_SERVER"] = server
        let console = Console(
            environment: variables.merging(environment) { $1 }, directory: home.path,
            input: input, out: out.stream(columns: terminal), err: err.stream(columns: terminal),
            clock: clock, interruptions: { interruptions ?? AsyncStream { _ in } })
        let status = await Odcs.run(arguments, in: console)
        return CommandRun(
            status: status, out: out.text.replacing(home.path, with: "HOME"), err: err.text.replacing(home.path, with: "HOME"))
    }
}

extension Input {
    static let none = Input(isTerminal: false, text: { "" }, line: { _ in nil })

    /// A pipe with this text.
    static func piped(_ text: String) -> Input { Input(isTerminal: false, text: { text }, line: { _ in nil }) }

    /// A person who gives these answers, and then ends the input.
    static func person(_ answers: String...) -> Input {
        let left = Mutex(answers[...])
        return Input(isTerminal: true, text: { "" }, line: { _ in left.withLock { $0.popFirst() } })
    }
}

/// What was written to a stream.
private final class Kept: Sendable {
    private let written = Mutex("")

    var text: String { written.withLock(\.self) }

    func stream(columns: Int?) -> Console.Stream {
        Console.Stream(isTerminal: columns != nil, columns: { columns ?? 80 }, write: { text in self.written.withLock { $0 += text } })
    }
}

/// A directory that goes when nobody holds it.
final class TemporaryDirectory: Sendable {
    let path: String

    init(files: [String: String] = [:]) throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "odcsTests-\(UUID().uuidString)", directoryHint: .isDirectory)
        path = String(directory.path.trimmingSuffix("/"))
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, text) in files {
            let file = directory.appending(path: name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
    }

    deinit {
        // Left over in the temporary directory at worst.
        try? FileManager.default.removeItem(atPath: path)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> Substring { hasSuffix(suffix) ? dropLast(suffix.count) : self[...] }
}
