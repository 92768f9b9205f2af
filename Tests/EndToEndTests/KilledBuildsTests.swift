import ComposeModel
import ComposeStore
import Foundation
import ImageModel
import RandomTestKit
import SystemPackage
import Testing

/// Builds of images whose workers are killed all the time.
///
/// A usual run has a few builds. A long one has as many as `ODCS_TEST_CHANGES` says. Each build has two steps.
@Suite(.timeLimit(.minutes(RandomRun.isLong ? 180 : 10)))
struct KilledBuildsTests {
    /// The number of workers at the same time.
    private static let workers = 2

    @Test("builds whose workers are killed at random end once each, with all their events, and leave nothing behind")
    func killed() async throws {
        let count = RandomRun.isLong ? RandomRun.changes : 4
        print("ODCS_TEST_SEED=\(RandomRun.seed): \(count) builds")
        try await ImageService.with(more: "worker: {attempts: 100, retry_seconds: 1}") { images in
            let service = images.service
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let configuration = try service.configuration("worker.yaml") {
                    $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(frontend.url)\"}")
                }
                let base = try await ServerProcess.with("worker", configuration: configuration) { _ in try await images.base(frontend) }
                // No worker runs meanwhile, so all steps are done by workers that can be killed.
                var builds: [Int] = []
                for number in 1...count {
                    let folder = try images.folder("app\(number)", "FROM \(base)\nRUN echo \(number) > /number\n")
                    try await frontend.succeed("image", "add", "team/app\(number)", folder.string)
                    let build: BuildDocument = try await frontend.document("image", "build", "team/app\(number)", "--no-wait")
                    builds.append(build.id)
                }
                let kills = try await Self.run(builds, of: service, configuration)
                print("\(kills) workers were killed")
                #expect(kills > 0)

                // The workers that were killed last have left files, which the next ones remove.
                try await Self.withWorkers(Self.workers, configuration) { try await frontend.succeed("image", "build", "team/app1") }
                for build in builds {
                    let ended = try #require(try await service.store.build(build))
                    #expect(ended.state == .done, "build \(build): \(ended.stateReason ?? "")")
                }
                try await Self.expectEvents(of: builds, in: service)
                for number in 1...count { #expect(try await images.digest("team/app\(number)") != nil) }
                #expect(try Self.processes(of: service) == [])
                #expect(try Self.containers(of: service) == [])
            }
        }
    }

    /// Runs workers and kills one of them after every few changes, until all builds have ended. Returns the
    /// number of workers that were killed.
    private static func run(_ builds: [Int], of service: TestService, _ configuration: FilePath) async throws -> Int {
        let victims = (0..<workers).map { _ in AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }
        return try await withThrowingTaskGroup(of: Int.self) { group in
            for (kills, _) in victims {
                group.addTask {
                    var killed = 0
                    while true {
                        let isKilled = try await ServerProcess.with("worker", configuration: configuration) { worker in
                            for await _ in kills {
                                await worker.kill()
                                return true
                            }
                            return false
                        }
                        guard isKilled else { return killed }
                        killed += 1
                    }
                }
            }
            var (dice, changes, rest) = (Dice(seed: RandomRun.seed), 0, builds[...])
            var next = 1 + dice.roll(6)
            try await service.awaitChange { () -> Bool? in
                while let build = rest.first, try await service.store.build(build)?.state.isFinal == true { rest = rest.dropFirst() }
                if rest.isEmpty { return true }
                changes += 1
                if changes == next {
                    victims[dice.roll(workers)].continuation.yield()
                    next += 1 + dice.roll(6)
                }
                return nil
            }
            for victim in victims { victim.continuation.finish() }
            return try await group.reduce(0, +)
        }
    }

    private static func withWorkers(
        _ count: Int, _ configuration: FilePath, _ body: @escaping @Sendable () async throws -> some Sendable
    ) async throws {
        guard count > 0 else { return _ = try await body() }
        try await ServerProcess.with("worker", configuration: configuration) { _ in
            try await withWorkers(count - 1, configuration, body)
        }
    }

    /// Expects of each build one event for its begin, and exactly one for its end, as the last one.
    private static func expectEvents(of builds: [Int], in service: TestService) async throws {
        try await service.store.sequenceEvents()
        var (states, position) = ([Int: [BuildState]](), 0)
        while true {
            let events = try await service.store.events(after: position, limit: 500)
            guard let last = events.last else { break }
            position = last.position
            for case .build(let build) in events.map(\.subject) { states[build.id, default: []].append(build.state) }
        }
        for build in builds {
            let states = states[build] ?? []
            #expect(states.first == .wait && states.last == .done && states.count { $0.isFinal } == 1, "build \(build): \(states)")
        }
    }

    /// The processes of builds that still run.
    private static func processes(of service: TestService) throws -> [String] {
        let place = service.directory.appending("images").string + "/"
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { pid_t($0) != nil }.compactMap { number in
            guard let line = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return nil }
            let text = String(decoding: line, as: UTF8.self)
            return text.contains(place) ? text.replacing("\0", with: " ") : nil
        }
    }

    /// The working containers that are left.
    private static func containers(of service: TestService) throws -> [String] {
        let directory = service.directory.appending("images")
        let files = FileManager.default.enumerator(atPath: directory.string)?.compactMap { $0 as? String } ?? []
        return try files.filter { $0.hasSuffix("-containers/containers.json") }.filter { file in
            let data = try Data(contentsOf: URL(filePath: directory.pushing(FilePath(file)).string))
            return try !(JSONSerialization.jsonObject(with: data) as? [Any] ?? []).isEmpty
        }
    }
}
