import Glibc
import Subprocess
import SystemPackage

/// A program that runs for a compose, in a session of its own: with it ends whatever it has
/// started, but for what put itself into another session.
struct ChildProcess: Sendable {
    /// How it came to its end.
    enum Ending: Hashable, Sendable {
        case exited(CInt)
        case signaled(CInt)
        /// It took longer than it may, and was ended.
        case timeLimit
    }

    /// There is no such program, or it cannot be started.
    struct CannotStart: Error {
        let isAbsent: Bool
    }

    /// How long a program has for tidying up once it is told to end.
    static let grace = Duration.seconds(10)

    /// A path, or a name that is looked for in PATH.
    let program: String
    let arguments: [String]
    /// All of it: nothing is inherited, since secrets of the service's environment are none of the program's.
    let environment: [String: String]
    let directory: FilePath
    var timeLimit: Duration?
    var grace = Self.grace

    /// The environment of a program that needs nothing in particular.
    static func plainEnvironment(home: FilePath) -> [String: String] {
        [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home.string, "TMPDIR": home.string,
            "LANG": "C.UTF-8", "TZ": "UTC",
        ]
    }

    /// Runs it to its end and hands `output` what it prints, to either of its outputs, as it comes.
    ///
    /// When the task is canceled the program is told to end, and after ``grace`` killed, with all of its session's processes; then `CancellationError`
    /// is thrown. Throws ``CannotStart`` where it does not begin.
    func run(output: @escaping @Sendable ([UInt8]) -> Void) async throws -> Ending {
        guard let timeLimit else { return try await runToEnd(output: output) }
        return try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask { try await runToEnd(output: output) }
            group.addTask {
                try await Task.sleep(for: timeLimit)
                return .timeLimit
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? .timeLimit
            group.cancelAll()
            // When the time is over, the process is waited for.
            while !group.isEmpty {
                do { _ = try await group.next() } catch is CancellationError { continue }
            }
            try Task.checkCancellation()
            return first
        }
    }

    private func runToEnd(output: @escaping @Sendable ([UInt8]) -> Void) async throws -> Ending {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: grace)]
        let session = Session()
        // Those that outlive the first process, or do not heed the signal that ended it.
        defer { session.kill() }
        let result: ExecutionResult<Void, SequenceOutput, CombinedErrorOutput>
        do {
            result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                environment: .custom(
                    Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
                workingDirectory: directory, platformOptions: options, input: .none, output: .sequence, error: .combinedWithOutput
            ) { execution in
                session.leader = execution.processIdentifier.value
                for try await buffer in execution.standardOutput {
                    output(buffer.withUnsafeBytes { Array($0) })
                }
            }
        } catch let error as SubprocessError where error.code == .executableNotFound || error.code == .spawnFailed {
            throw CannotStart(isAbsent: error.code == .executableNotFound)
        } catch {
            try Task.checkCancellation()
            throw error
        }
        try Task.checkCancellation()
        switch result.terminationStatus {
        case .exited(let code): return .exited(code)
        case .signaled(let signal): return .signaled(signal)
        }
    }
}

/// The processes that a child has started, known by their session's first one. Used by one task after the other.
private final class Session {
    var leader: pid_t?

    /// A process group keeps its number from being given to another process, so this cannot meet a stranger while one of its members is left.
    func kill() {
        if let leader { Glibc.kill(-leader, SIGKILL) }
    }
}
