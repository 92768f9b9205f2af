import Foundation
public import ImageModel
import Subprocess
import SystemPackage

/// A real registry, Debian's `docker-registry`, on a loopback port that the kernel chose. Its data is
/// in a temporary directory, which is deleted at the end.
public struct TestRegistry: Sendable {
    /// The only user and password that a registry with passwords accepts.
    public static let user = "tester"
    public static let password = "secret"

    /// For example `127.0.0.1:38245`.
    public let host: RegistryHost

    /// The error for a registry that ended before it listened.
    public struct DidNotStart: Error, CustomStringConvertible {
        public let output: String
        public var description: String { "docker-registry did not start:\n\(output)" }
    }

    public func repository(_ path: String) throws -> ImageRepository { try ImageRepository(host: host, path: path) }

    /// Runs `body` with a registry. The registry is killed afterwards.
    public static func with<Value: Sendable>(
        passwords: Bool = false, _ body: @escaping @Sendable (TestRegistry) async throws -> Value
    ) async throws -> Value {
        let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-registry-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let configuration = directory.appending(path: "config.yml")
        try Self.configuration(in: directory.path, passwords: passwords).write(to: configuration, atomically: true, encoding: .utf8)
        // bcrypt of the password, as htpasswd -B writes it.
        try "\(user):$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n"
            .write(to: directory.appending(path: "htpasswd"), atomically: true, encoding: .utf8)
        let result = try await Subprocess.run(
            .name("docker-registry"), arguments: ["serve", configuration.path], input: .none, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let (ready, readiness) = AsyncStream.makeStream(of: Result<RegistryHost, any Error>.self)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // The output is read to its end, so that the registry can always write.
                    var output = ""
                    for try await buffer in execution.standardOutput {
                        output += buffer.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
                        if let host = Self.address(in: output) { readiness.yield(.success(host)) }
                        output = String(output.suffix(10_000))
                    }
                    readiness.yield(.failure(DidNotStart(output: output)))
                }
                defer { try? execution.send(signal: .kill) }
                guard let first = await ready.first(where: { _ in true }) else { throw CancellationError() }
                return try await body(TestRegistry(host: try first.get()))
            }
        }
        return result.closureResult
    }

    private static func configuration(in directory: String, passwords: Bool) -> String {
        """
        version: 0.1
        log: {level: info, accesslog: {disabled: true}}
        storage:
          filesystem: {rootdirectory: "\(directory)/data"}
          delete: {enabled: true}
        http: {addr: "127.0.0.1:0", secret: test}
        \(passwords ? "auth: {htpasswd: {realm: test, path: \"\(directory)/htpasswd\"}}" : "")
        """
    }

    private static func address(in output: String) -> RegistryHost? {
        guard let start = output.range(of: "listening on ") else { return nil }
        let rest = output[start.upperBound...]
        guard let end = rest.firstIndex(of: "\"") else { return nil }
        return try? RegistryHost(rest[..<end])
    }
}
