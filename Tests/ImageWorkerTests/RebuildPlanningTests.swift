import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import ImageModel
import ImageWorker
import Logging
import Postgres
import Rebuilds
import SystemPackage
import Testing

/// The service that plans rebuilds whose composes were not done when they were asked for.
@Suite(.timeLimit(.minutes(5))) struct RebuildPlanningTests {
    private static let day = "20261129"

    /// Adds an image that has zlib 1-1, and returns its id.
    private static func addImage(in store: ComposeStore) async throws -> Int {
        let platform = try Platform("linux/amd64")
        let repository = try ImageReference("r.example/team/web").repository
        let definition = ImageDefinition(source: .containerfile("FROM scratch\nCOPY . /\n"), platforms: [platform])
        guard case .added(let image) = try await store.addImage(repository, as: definition, by: Actor(name: "me", isAdmin: false)) else {
            throw CancellationError()
        }
        let digest = ImageDigest(of: [1])
        try await store.recordLook(at: image.id, tag: .latest, digest: digest, manifests: [platform: digest])
        let old = InstalledPackage(name: "zlib", evr: EVR(epoch: 0, version: "1", release: "1"), arch: "x86_64")
        try await store.record(Contents(digest: digest, platform: platform, state: .read([old])))
        return image.id
    }

    /// Makes the compose that waits longest done, with zlib 1-2 in its lock file.
    private static func finishCompose(in store: ComposeStore, _ directory: FilePath) async throws {
        let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
        let tree = directory.appending(ComposeLayout(id: lease.compose.id).directory)
        try FileManager.default.createDirectory(atPath: tree.string, withIntermediateDirectories: true)
        try #"{"version": 1, "packages": [{"nevra": "zlib-1-2.x86_64", "path": "x86_64/os/Packages/z/zlib-1-2.x86_64.rpm"}]}"#
            .write(toFile: tree.appending("compose.lock.json").string, atomically: true, encoding: .utf8)
        _ = try await store.settle(lease, as: .pinned(lease.compose.request), source: "/srv/repo", reason: { _ in "same" })
        _ = try await store.finish(lease, composeID: "odcs-\(lease.compose.id)-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") {
            _ in
        }
    }

    private static func submit(_ compose: Int, priority: Int, to store: ComposeStore) async throws -> Int {
        try await store.submitRebuild(
            nil, for: compose, because: RebuildReason(), owner: "me", dateTag: ImageTag(day), priority: priority
        ).id
    }

    @Test("rebuilds whose composes ended while no worker ran are planned, and a compose that ends later wakes the service")
    func planning() async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-planning-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        try await TestDatabase.with { database in
            let store = database.store
            let image = try await Self.addImage(in: store)
            let composes = [
                try await store.submit(.repo(["a"]), owner: "me").id, try await store.submit(.repo(["b"]), owner: "me").id,
                try await store.submit(.repo(["c"]), owner: "me").id,
            ]
            var rebuilds: [Int] = []
            // Builds of different priorities are not shared.
            for (priority, compose) in composes.enumerated() {
                rebuilds.append(try await Self.submit(compose, priority: priority, to: store))
            }
            _ = try await store.delete(composes[0], by: Actor(name: "me", isAdmin: false))
            try await Self.finishCompose(in: store, directory)

            let listener = PostgresListener(configuration: database.configuration, channels: [database.schema], logger: .silent)
            let planning = RebuildPlanning(
                store: store, plans: RebuildPlans(store: store, directories: ["default": directory]), listener: listener,
                channel: database.schema, interval: .seconds(86_400), logger: .silent)
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                let notifications = listener.notifications(on: database.schema)
                group.addTask { try await listener.run() }
                group.addTask { try await planning.run() }
                var changes = notifications.makeAsyncIterator()
                /// Waits until the rebuild has a plan. Its builds are notified.
                func planned(_ rebuild: Int) async throws -> Rebuild {
                    while let found = try await store.rebuild(rebuild), found.timePlanned == nil { _ = await changes.next() }
                    return try #require(try await store.rebuild(rebuild))
                }

                let first = try await planned(rebuilds[1])
                #expect(first.rows.map(\.plan.image) == [image])
                #expect(first.rows.map(\.plan.decision) == [.build])
                // Rebuilds are planned in their order.
                let failed = try #require(try await store.rebuild(rebuilds[0]))
                #expect(failed.state == .failed)
                #expect(failed.problem == "Compose \(composes[0]) has failed: Canceled by me.")
                #expect(try await store.rebuild(rebuilds[2])?.state == .wait)

                try await Self.finishCompose(in: store, directory)
                try await store.sequenceEvents()
                let second = try await planned(rebuilds[2])
                #expect(second.rows.map(\.plan.decision) == [.build])
                #expect(second.rows.map(\.build) != first.rows.map(\.build))
            }
        }
    }
}
