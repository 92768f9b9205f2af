import Foundation
import Glibc
import Processes
import Subprocess
public import SystemPackage

/// Test programs share a temporary directory, and an environment that does not depend on the host.
public struct TestPrograms: Sendable {
    /// The directory with all files of the programs. It is removed at the end of the test.
    public let directory: FilePath
    public var environment: [String: String]

    /// The error for a program that failed.
    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    /// Runs `body` with a new directory.
    static func with<Value: Sendable>(_ body: (TestPrograms) async throws -> Value) async throws -> Value {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-login-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        return try await body(TestPrograms(directory: directory, environment: ChildProcess.plainEnvironment(home: directory)))
    }

    func write(_ text: String, to name: String) throws -> FilePath {
        let file = directory.appending(name)
        try text.write(toFile: file.string, atomically: true, encoding: .utf8)
        return file
    }

    /// Runs a program to its end, and returns its output.
    @discardableResult func run(_ program: String, _ arguments: [String], _ more: [String: String] = [:]) async throws -> String {
        let variables = environment.merging(more) { $1 }.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
        let result = try await Subprocess.run(
            program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: variables)),
            workingDirectory: directory, output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            throw Failed(description: "\(program) \(arguments) failed:\n\(result.standardOutput)\(result.standardError)")
        }
        return result.standardOutput
    }

    /// Returns a running server once its output has a line with `sign`.
    func start(_ program: String, _ arguments: [String], sign: String) async throws -> TestServer {
        let (ready, sender) = AsyncStream.makeStream(of: Void.self)
        let output = OutputTail { if $0.contains(sign) { sender.yield() } }
        let process = ChildProcess(
            program: program, arguments: arguments, environment: environment, directory: directory, grace: .milliseconds(200),
            lifeline: Lifeline())
        let running = Task {
            defer { sender.finish() }
            _ = try await process.run { output.append($0) }
        }
        var iterator = ready.makeAsyncIterator()
        guard await iterator.next() != nil else {
            throw Failed(description: "\(program) did not start:\n\(output.lastLines().joined(separator: "\n"))")
        }
        return TestServer(running: running)
    }

    /// Starts a server on a loopback port that is free. Another process can take the port before the
    /// server does, so several ports are tried.
    func start(
        _ program: String, sign: String, arguments: (UInt16) throws -> [String]
    ) async throws -> (server: TestServer, port: UInt16) {
        var failure: (any Error)?
        for _ in 0..<5 {
            let port = try Self.freePort()
            do {
                return (try await start(program, try arguments(port), sign: sign), port)
            } catch {
                failure = error
            }
        }
        throw failure ?? Failed(description: "no port is free")
    }

    static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { throw Errno(rawValue: errno) }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) == 0 ? getsockname(socket, address, &length) : -1
            }
        }
        guard status == 0 else { throw Errno(rawValue: errno) }
        return UInt16(bigEndian: address.sin_port)
    }
}

/// A test server is a running program. It never outlives the process of the tests.
struct TestServer: Sendable {
    let running: Task<Void, any Error>

    func end() async {
        running.cancel()
        _ = await running.result
    }
}
