import ComposeModel
import Foundation
import RandomTestKit
import Subprocess
import SystemPackage
import Testing

/// strace, which stops a process after each system call.
private enum Tracing {
    static var isPossible: Bool {
        get async { (try? await Program.run(["strace", "-o", "/dev/null", "true"]))?.isSuccess == true }
    }

    /// Runs `body` while the process is traced and copies of `directory` are made.
    static func run<R: Sendable>(
        _ pid: pid_t, _ directory: FilePath, _ copies: FilePath, _ body: @escaping @Sendable () async throws -> R
    ) async throws -> R {
        let script = Checkout.directory.appending("Tests/EndToEndTests/Scripts/snapshots.py").string
        let outcome = try await Subprocess.run(
            .path("/usr/bin/python3"), arguments: [script, "\(pid)", directory.string, copies.string], input: .none, output: .sequence,
            error: .discarded
        ) { execution in
            var result: Result<R, any Error>?
            for try await line in execution.standardOutput.strings() where line.contains("ready") {
                do { result = .success(try await body()) } catch { result = .failure(error) }
                try execution.send(signal: .terminate)
            }
            return try #require(result).get()
        }
        return outcome.closureResult
    }
}

/// What a worker leaves in its cache when it is killed.
///
/// strace stops the worker after each system call, and a copy of the cache is made. A copy is what a worker leaves that is killed then.
/// A usual run tries some of the copies, and a long one all of them.
@Suite(
    .enabled("strace cannot trace other processes here") { await Tracing.isPossible },
    .timeLimit(.minutes(RandomRun.isLong ? 120 : 5)))
struct KilledWorkerTests {
    /// The number of copies that a usual run tries.
    private static let some = 10

    @Test("a worker that was killed at any system call of a publication or a compaction leaves nothing that changes a later compose")
    func killed() async throws {
        let sources = try TemporaryDirectory()
        defer { sources.remove() }
        var dice = Dice(seed: RandomRun.seed)
        var repository = try ChangingRepository(sources.path.appending("repository"), count: 40, &dice)
        // The first revision is read as a whole. The others are layers, and the last one is large enough to be compacted.
        var revisions = [repository.documents]
        for changed in [0..<1, 1..<4] {
            for place in changed { try repository.renew(place) }
            revisions.append(repository.documents)
        }
        try await TestService.with(roots: [sources.path]) { [repository, revisions] service in
            let copies = service.directory.appending("copies")
            let cache = service.directory.appending("cache")
            // The files of each revision, and the number of copies until the next one was there.
            let expected = try await ServerProcess.with(configuration: service.configuration) { server in
                try FileManager.default.createDirectory(atPath: cache.string, withIntermediateDirectories: true)
                return try await Tracing.run(server.pid, cache, copies) {
                    var expected: [(tree: [String: Data], copies: Int)] = []
                    var id = ""
                    for documents in revisions {
                        id = try repository.write(documents)
                        let tree = try await Self.tree(of: repository, server, service)
                        #expect(FileManager.default.fileExists(atPath: cache.appending("\(id)-3/base").string) == !expected.isEmpty)
                        expected.append((tree, try Self.numbers(copies).last ?? 0))
                    }
                    await server.logs("A layer was written as whole metadata")
                    #expect(!FileManager.default.fileExists(atPath: cache.appending("\(id)-3/base").string))
                    #expect(try (Self.numbers(copies).last ?? 0) > expected[2].copies + 20, "the compaction was not seen")
                    return expected
                }
            }
            #expect(expected.allSatisfy { $0.tree.keys.contains { $0.hasSuffix("repomd.xml") } })

            let numbers = try Self.numbers(copies)
            #expect(numbers.count > 50)
            let step = RandomRun.isLong ? 1 : max(1, numbers.count / Self.some)
            let chosen = stride(from: dice.roll(step), to: numbers.count, by: step).map { numbers[$0] }
            print("ODCS_TEST_SEED=\(RandomRun.seed): \(chosen.count) of \(numbers.count) states of the cache are tried")
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let configuration = try service.configuration("worker.yaml") {
                    $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(frontend.url)\"}")
                }
                for number in chosen {
                    let revision = expected.firstIndex { number <= $0.copies } ?? revisions.count - 1
                    _ = try repository.write(revisions[revision])
                    try FileManager.default.removeItem(atPath: cache.string)
                    try await Program.succeed("cp", "-a", copies.appending("\(number)").string, cache.string)
                    let found = try await ServerProcess.with("worker", configuration: configuration) { _ in
                        try await Self.tree(of: repository, frontend, service)
                    }
                    #expect(found == expected[revision].tree, "state \(number) of the cache, revision \(revision)")
                }
            }
        }
    }

    private static func numbers(_ directory: FilePath) throws -> [Int] {
        try FileManager.default.contentsOfDirectory(atPath: directory.string).compactMap { Int($0) }.sorted()
    }

    /// Composes all packages, and returns the files of the repository.
    private static func tree(
        of repository: ChangingRepository, _ server: ServerProcess, _ service: TestService
    ) async throws -> [String: Data] {
        let compose = try await server.compose(
            json: "{\"source\": {\"type\": \"repo\", \"source\": \"\(repository.directory)\"}, \"flags\": [\"no_reuse\"]}", service)
        #expect(compose.state == "done", "\(compose.reason)")
        var files: [String: Data] = [:]
        for file in try compose.files() where file.hasPrefix("compose/Temporary/x86_64/os/") { files[file] = try compose.data(file) }
        return files
    }
}
