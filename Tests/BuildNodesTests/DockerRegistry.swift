import Foundation
import ImageModel
import Processes
import SystemPackage
import Testing

/// A registry on loopback that keeps its images in memory. It ends with this process.
struct DockerRegistry {
    let host: RegistryHost
    let running: Task<ChildProcess.Ending, any Error>

    static func start() async throws -> DockerRegistry {
        let directory = FilePath(FileManager.default.temporaryDirectory.path)
        let settings = directory.appending("odcs-registry-\(UUID().uuidString).yml")
        try "version: 0.1\nlog: {level: info}\nstorage: {inmemory: {}}\nhttp: {addr: \"127.0.0.1:0\"}\n"
            .write(toFile: settings.string, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: settings.string) }
        let (ports, sender) = AsyncStream.makeStream(of: Int.self)
        let output = OutputTail { line in
            if let port = line.firstMatch(of: /listening on 127\.0\.0\.1:(\d+)/).flatMap({ Int($0.1) }) { sender.yield(port) }
        }
        let process = ChildProcess(
            program: "docker-registry", arguments: ["serve", settings.string], environment: ChildProcess.plainEnvironment(home: directory),
            directory: directory, grace: .milliseconds(200), lifeline: Lifeline())
        let running = Task {
            defer { sender.finish() }
            return try await process.run { output.append($0) }
        }
        var iterator = ports.makeAsyncIterator()
        let port = try #require(await iterator.next(), "docker-registry did not start: \(output.lastLines())")
        return DockerRegistry(host: try RegistryHost("127.0.0.1:\(port)"), running: running)
    }

    func repository(_ path: String) throws -> ImageRepository { try ImageRepository(host: host, path: path) }
}
