import Foundation
public import ImageModel
import Processes
import SystemPackage

/// A real registry, Debian's `docker-registry`, on a loopback port that the kernel chose. It never
/// outlives the process of the tests.
public struct TestRegistry: Sendable {
    /// The only user and password that a registry with passwords accepts.
    public static let user = "tester"
    public static let password = "secret"

    /// For example `127.0.0.1:38245`.
    public let host: RegistryHost
    private let process: RunningRegistry

    /// The error for a registry that ended before it listened.
    public struct DidNotStart: Error, CustomStringConvertible {
        public let output: String
        public var description: String { "docker-registry did not start:\n\(output)" }
    }

    public func repository(_ path: String) throws -> ImageRepository { try ImageRepository(host: host, path: path) }

    /// Starts a registry for the rest of the process. It keeps its images in memory.
    public static func start() async throws -> TestRegistry {
        let directory = FilePath(FileManager.default.temporaryDirectory.path)
        let file = directory.appending("odcs-registry-\(UUID().uuidString).yml")
        defer { try? FileManager.default.removeItem(atPath: file.string) }
        return try await start(configuration(storage: "inmemory: {}"), file: file, in: directory)
    }

    /// Runs `body` with a registry, whose data is in a temporary directory. The registry is ended
    /// afterwards.
    public static func with<Value: Sendable>(
        passwords: Bool = false, _ body: @escaping @Sendable (TestRegistry) async throws -> Value
    ) async throws -> Value {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-registry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        // bcrypt of the password, as htpasswd -B writes it.
        let passwordFile = directory.appending("htpasswd")
        try "\(user):$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
            .write(toFile: passwordFile.string, atomically: true, encoding: .utf8)
        let authentication = passwords ? "auth: {htpasswd: {realm: test, path: \"\(passwordFile)\"}}" : ""
        let registry = try await start(
            configuration(storage: "filesystem: {rootdirectory: \"\(directory)/data\"}", authentication),
            file: directory.appending("config.yml"), in: directory)
        let result: Result<Value, any Error>
        do { result = .success(try await body(registry)) } catch { result = .failure(error) }
        await registry.process.end()
        return try result.get()
    }

    /// Ends the registry while `body` runs. Afterwards it has the same address and the same images. It must
    /// be one with a directory.
    public func whileAway<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        await process.end()
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        _ = try await process.start()
        return try result.get()
    }

    private static func start(_ configuration: String, file: FilePath, in directory: FilePath) async throws -> TestRegistry {
        let process = RunningRegistry(configuration, file: file, in: directory)
        return TestRegistry(host: try await process.start(), process: process)
    }

    private static func configuration(storage: String, _ authentication: String = "") -> String {
        """
        version: 0.1
        log: {level: info, accesslog: {disabled: true}}
        storage:
          \(storage)
          delete: {enabled: true}
        http: {addr: "127.0.0.1:0", secret: test}
        \(authentication)
        """
    }
}

/// The process of a registry, which can end and start again.
private actor RunningRegistry {
    private let file: FilePath
    private let directory: FilePath
    private var configuration: String
    private var running: Task<Void, any Error>?

    init(_ configuration: String, file: FilePath, in directory: FilePath) {
        (self.configuration, self.file, self.directory) = (configuration, file, directory)
    }

    func end() async {
        running?.cancel()
        _ = await running?.result
    }

    /// Returns the address when the registry listens. It is the same each time.
    func start() async throws -> RegistryHost {
        try configuration.write(toFile: file.string, atomically: true, encoding: .utf8)
        let (hosts, sender) = AsyncStream.makeStream(of: RegistryHost.self)
        let output = OutputTail { line in
            guard let match = line.firstMatch(of: /listening on (127\.0\.0\.1:\d+)/), let host = try? RegistryHost(match.1) else { return }
            sender.yield(host)
        }
        let process = ChildProcess(
            program: "docker-registry", arguments: ["serve", file.string], environment: ChildProcess.plainEnvironment(home: directory),
            directory: directory, grace: .milliseconds(200), lifeline: Lifeline())
        running = Task {
            defer { sender.finish() }
            _ = try await process.run { output.append($0) }
        }
        var iterator = hosts.makeAsyncIterator()
        guard let host = await iterator.next() else {
            throw TestRegistry.DidNotStart(output: output.lastLines().joined(separator: "\n"))
        }
        configuration.replace("127.0.0.1:0", with: host.description)
        return host
    }
}
