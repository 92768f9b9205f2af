import Glibc
import Retries
import Subprocess
public import SystemPackage

/// A child process runs a program for a compose, in a session and process group of its own. When the
/// program ends, every process of its session is killed. A process that called setsid(2) itself
/// escapes, unless the program runs on a ``Lifeline``.
public struct ChildProcess: Sendable {
    /// The way in which a child process ended.
    public enum Ending: Hashable, Sendable {
        /// It ended by itself, with this status.
        case exited(CInt)
        /// This signal ended it.
        case signaled(CInt)
        /// It exceeded its time limit, and was ended.
        case timeLimit
    }

    /// The error for a program that does not exist or cannot be started.
    public struct CannotStart: Error {
        /// Whether the program does not exist.
        public let isAbsent: Bool
    }

    /// The time that a program has for cleanup after it was asked to end.
    public static let grace = Duration.seconds(10)

    /// The path of the program, or a name that is searched for in PATH.
    let program: String
    let arguments: [String]
    /// The complete environment. Nothing is inherited, because the program must not see secrets of the
    /// service's environment.
    let environment: [String: String]
    let directory: FilePath
    let timeLimit: Duration?
    let grace: Duration
    let lifeline: Lifeline?

    /// - Parameters:
    ///   - program: The path of the program, or a name that is searched for in PATH.
    ///   - environment: The complete environment. Nothing is inherited.
    ///   - directory: The working directory.
    ///   - timeLimit: The time after which the program is ended, or `nil` for no limit.
    ///   - grace: The time for cleanup that the program has after it was asked to end.
    ///   - lifeline: Ends the program when this process ends. Without it the program continues.
    public init(
        program: String, arguments: [String], environment: [String: String], directory: FilePath, timeLimit: Duration? = nil,
        grace: Duration = Self.grace, lifeline: Lifeline? = nil
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.timeLimit = timeLimit
        self.grace = grace
        self.lifeline = lifeline
    }

    /// Returns the environment of a program that needs nothing in particular.
    public static func plainEnvironment(home: FilePath) -> [String: String] {
        [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": home.string, "TMPDIR": home.string,
            "LANG": "C.UTF-8", "TZ": "UTC",
        ]
    }

    /// Runs the program to its end. Passes both its outputs to `output` as they arrive.
    ///
    /// If the task is canceled, the program is asked to end, together with all processes of its group.
    /// After ``grace`` every process of its session is killed. Then `CancellationError` is thrown. Throws
    /// ``CannotStart`` if the program does not start.
    public func run(output: @escaping @Sendable ([UInt8]) -> Void) async throws -> Ending {
        guard let timeLimit else { return try await runToEnd(output: output) }
        return try await withThrowingTaskGroup(of: Ending.self) { group in
            group.addTask { try await runToEnd(output: output) }
            group.addTask {
                // This is the clock of the limit. It is canceled as soon as the program ends.
                try await longSleep(for: timeLimit)
                return .timeLimit
            }
            defer { group.cancelAll() }
            let first = try await group.next() ?? .timeLimit
            group.cancelAll()
            // After the time limit, the end of the process is awaited.
            while !group.isEmpty {
                do { _ = try await group.next() } catch is CancellationError { continue }
            }
            try Task.checkCancellation()
            return first
        }
    }

    private func runToEnd(output: @escaping @Sendable ([UInt8]) -> Void) async throws -> Ending {
        guard let lifeline else {
            return try await run([program] + arguments, input: .none, asking: .terminate, output: output)
        }
        let pipe = try LifelinePipe()
        defer { pipe.close() }
        return try await withTaskCancellationHandler {
            // The signal changes nothing. It stands for the time between the line in the pipe and the end.
            try await run(
                lifeline.command(program, arguments), input: .fileDescriptor(pipe.reading, closeAfterSpawningProcess: false),
                asking: .resume, output: output)
        } onCancel: {
            pipe.askToEnd()
        }
    }

    /// Returns a program by its path or name. A name is looked for in PATH here, because the library would
    /// start a process for each directory.
    private func executable(_ program: String) -> Executable {
        if program.contains("/") { return .path(FilePath(program)) }
        let places = (environment["PATH"] ?? "").split(separator: ":").map { FilePath(String($0)).appending(program) }
        let place = places.first { place in
            var status = stat()
            return access(place.string, X_OK) == 0 && stat(place.string, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
        return place.map(Executable.path) ?? .name(program)
    }

    private func run(
        _ command: [String], input: some InputProtocol, asking signal: Signal, output: @escaping @Sendable ([UInt8]) -> Void
    ) async throws -> Ending {
        var options = PlatformOptions()
        options.createSession = true
        options.teardownSequence = [.send(signal: signal, toProcessGroup: true, allowedDurationToNextStep: grace)]
        let session = Session()
        // This kills processes that outlive the first one, or that ignore the signal that ended it.
        defer { session.kill() }
        let result: ExecutionResult<Void, SequenceOutput, CombinedErrorOutput>
        do {
            result = try await Subprocess.run(
                executable(command[0]),
                arguments: Arguments(Array(command.dropFirst())),
                environment: .custom(
                    Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) })),
                workingDirectory: directory, platformOptions: options, input: input, output: .sequence, error: .combinedWithOutput
            ) { execution in
                session.leader = execution.processIdentifier.value
                // A task of its own reads to the end even after cancellation. A program that cleans up would
                // otherwise be ended by SIGPIPE.
                let sequence = execution.standardOutput
                try await Task {
                    for try await buffer in sequence { output(buffer.withUnsafeBytes { Array($0) }) }
                }.value
            }
        } catch let error as SubprocessError where error.code == .executableNotFound || error.code == .spawnFailed {
            throw CannotStart(isAbsent: error.code == .executableNotFound)
        } catch {
            try Task.checkCancellation()
            throw error
        }
        // The programs before a lifeline wait for the program on it, and the kernel has killed all processes
        // that it has left behind. So a search among all processes of the host would find nothing.
        if lifeline != nil, case .exited = result.terminationStatus { session.leader = nil }
        try Task.checkCancellation()
        switch result.terminationStatus {
        case .exited(let code): return .exited(code)
        case .signaled(let signal): return .signaled(signal)
        }
    }
}

extension ChildProcess.Ending {
    /// The ending in words that follow the program's name. Example: `ended with the status 1`.
    public var inWords: String {
        switch self {
        case .exited(let code): "ended with the status \(code)"
        case .signaled(let signal): "was ended by the signal \(signal)"
        case .timeLimit: "took too long"
        }
    }
}
