import Foundation
import Glibc
public import ImageModel
import Processes
import Subprocess
public import SystemPackage

/// A real podman with storage of its own in a temporary directory.
public struct TestPodman: Sendable {
    /// The directory of the storage. A test can keep its files there too.
    public let directory: FilePath
    /// The complete environment of podman, and of programs that run it.
    public let environment: [String: String]

    /// The error for a service that ended before it listened.
    public struct DidNotStart: Error, CustomStringConvertible {
        public let output: String
        public var description: String { "podman system service did not start:\n\(output)" }
    }

    /// Runs `body` with a podman. Its images are removed afterwards.
    ///
    /// - Parameter insecure: The registries that it speaks to without TLS.
    public static func with<Value: Sendable>(insecure: [RegistryHost] = [], _ body: @escaping @Sendable (TestPodman) async throws -> Value)
        async throws -> Value
    {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("podman-\(UUID().uuidString.prefix(8))")
        for name in ["run", "images"] {
            try FileManager.default.createDirectory(atPath: directory.appending(name).string, withIntermediateDirectories: true)
        }
        let settings = directory.appending("storage.conf")
        try "[storage]\ndriver = \"vfs\"\ngraphroot = \"\(directory)/images\"\nrunroot = \"\(directory)/run\"\n"
            .write(toFile: settings.string, atomically: true, encoding: .utf8)
        let registries = directory.appending("registries.conf")
        try insecure.map { "[[registry]]\nlocation = \"\($0)\"\ninsecure = true\n" }.joined()
            .write(toFile: registries.string, atomically: true, encoding: .utf8)
        var environment = ChildProcess.plainEnvironment(home: directory)
        environment["CONTAINERS_REGISTRIES_CONF"] = registries.string
        environment["CONTAINERS_STORAGE_CONF"] = settings.string
        environment["XDG_RUNTIME_DIR"] = directory.appending("run").string
        let podman = TestPodman(directory: directory, environment: environment)
        let result: Result<Value, any Error>
        do { result = .success(try await body(podman)) } catch { result = .failure(error) }
        // A service that was killed leaves the containers of its builds.
        _ = try? await podman.run("podman", ["rm", "--all", "--force", "--time", "0"])
        // An ordinary user cannot remove files of its subordinate numbers otherwise.
        _ = try? await podman.run("podman", ["unshare", "rm", "-rf", directory.appending("images").string])
        try? FileManager.default.removeItem(atPath: directory.string)
        return try result.get()
    }

    /// Runs a program with the environment of podman. Returns its outputs, and whether it succeeded.
    public func run(
        _ program: String, _ arguments: [String], _ more: [String: String] = [:]
    ) async throws -> (out: String, err: String, isSuccess: Bool) {
        let variables = environment.merging(more) { $1 }.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
        let result = try await Subprocess.run(
            .name(program), arguments: Arguments(arguments), environment: .custom(Dictionary(uniqueKeysWithValues: variables)),
            workingDirectory: directory, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        return (result.standardOutput, result.standardError, result.terminationStatus.isSuccess)
    }

    /// The socket of the service.
    public var socket: FilePath { directory.appending("podman.sock") }

    /// Sends a signal to the service that answers on the socket. Example: `SIGSTOP`.
    public func signalService(_ signal: CInt) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
        for process in names {
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { continue }
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
            if words.contains("unix://\(socket)"), words.contains("service") { kill(process, signal) }
        }
    }

    /// Runs `body` while podman answers Docker's API on a socket. The service never outlives the process
    /// of the tests.
    public func withService<Value: Sendable>(_ body: @escaping @Sendable (FilePath) async throws -> Value) async throws -> Value {
        let socket = socket
        let (listening, sender) = AsyncStream.makeStream(of: Void.self)
        let output = OutputTail { if $0.contains("API service listening") { sender.yield() } }
        let service = ChildProcess(
            program: "podman", arguments: ["--log-level=info", "system", "service", "--time=0", "unix://\(socket)"],
            environment: environment, directory: directory, grace: .milliseconds(200))
        let running = Task {
            defer { sender.finish() }
            _ = try await service.run { output.append($0) }
        }
        var iterator = listening.makeAsyncIterator()
        guard await iterator.next() != nil else { throw DidNotStart(output: output.lastLines().joined(separator: "\n")) }
        let result: Result<Value, any Error>
        do { result = .success(try await body(socket)) } catch { result = .failure(error) }
        running.cancel()
        _ = await running.result
        return try result.get()
    }
}
