import ComposeStore
import ComposeTestKit
import ComposeWorker
import ImageModel
import Logging
import Postgres
import Testing

@testable import ImageWorker

@Suite struct StepAttemptTests {
    /// Builds at once. The node never answers when the image of the step is to be removed.
    private struct StandingNode: StepRunner {
        let cleaning: AsyncStream<String>.Continuation

        func run(_ lease: StepLease, _ inputs: StepInputs, until deadline: LeaseDeadline) async throws -> StepResult {
            StepResult(digest: ImageDigest(of: [1]))
        }

        func clean(after step: Step, of build: Build) async throws {
            cleaning.yield("begun")
            defer { cleaning.yield("ended") }
            let (answers, _) = AsyncStream.makeStream(of: Never.self)
            for await _ in answers {}
            throw CancellationError()
        }
    }

    @Test("no slot waits for a node that does not remove the image of a step, and the removal ends at its time limit")
    func standingNode() async throws {
        try await TestDatabase.with { database in
            let platform = try Platform("linux/amd64")
            #expect(try await database.store.addNode(FarmNode(name: "n1", connection: .unix(path: "/run/n1.sock"))))
            let look = NodeLook(engine: "podman 4.3.1", probe: .init(native: [platform], emulated: []))
            try await database.store.record(look, at: try await database.store.node("n1"), next: .seconds(600))
            let definition = ImageDefinition(source: .containerfile("FROM scratch\n"), platforms: [platform])
            let outcome = try await database.store.addImage(
                try ImageReference("r.example/team/app").repository, as: definition, by: Actor(name: "me", isAdmin: false))
            guard case .added(let image) = outcome else { throw CancellationError() }
            let build = try await database.store.submitBuild(
                of: image.id, BuildRequest(definition), owner: "me", dateTag: ImageTag("20261201"))
            var offer = StepOffer(platforms: [])
            offer.nodes = true
            let lease = try #require(try await database.store.claimStep(by: "w", offering: offer, for: .seconds(600)))
            #expect(lease.step.isOnFarm)

            let listener = PostgresListener(configuration: database.configuration, channels: [database.schema], logger: .silent)
            let (events, event) = AsyncStream.makeStream(of: String.self)
            let runner = StandingNode(cleaning: event)
            let cleaning = StepCleaning(runner: runner, after: .zero, within: .milliseconds(50), logger: .silent)
            let attempts = StepAttempts(
                configuration: StepConfiguration(name: "w", slots: 0, offer: offer), store: database.store,
                keeper: LeaseKeeper(store: database.store, listener: listener, channel: database.schema, length: .seconds(600)),
                runner: runner, cleaning: cleaning, logger: .silent)
            await attempts.run(lease, asked: .now)
            #expect(try await database.store.build(build.id)?.steps.first?.state == .done, "nothing waits for the node")

            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await cleaning.run() }
                var seen: [String] = []
                for await event in events {
                    seen.append(event)
                    if event == "ended" { break }
                }
                #expect(seen == ["begun", "ended"])
                group.cancelAll()
            }
        }
    }
}
