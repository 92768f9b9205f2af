import ComposeStore
import ComposeTestKit
import ImageModel
import ImageTestKit
import Logging
import Registry
import Testing

@testable import ImageWorker

@Suite("Looks at images in registries", .timeLimit(.minutes(5)))
struct ContentsWatcherTests {
    private static let owner = Actor(name: "me", isAdmin: false)
    private static let arm = Platform.host.architecture == "arm64" ? "linux/amd64" : "linux/arm64"

    private static func image(_ text: String, for platform: Platform = .host) -> SmallImage {
        SmallImage(platform: platform, files: [("file", Array(text.utf8))])
    }

    /// A watcher for which a round is due as soon as the last one ended, unless the interval is another.
    private static func watcher(
        _ world: ContentsWorld, _ store: ComposeStore, _ reader: CountingReader, allowed: Set<RegistryHost>? = nil,
        every interval: Duration = .milliseconds(1)
    ) -> ContentsWatcher {
        ContentsWatcher(
            store: store, registry: world.client, reader: reader, allowedRegistries: allowed, every: interval, logger: .silent)
    }

    /// Does one round.
    private static func round(_ watcher: ContentsWatcher) async throws {
        while try await !watcher.round() { await Task.yield() }
    }

    private static func add(
        _ path: String, from containerfile: String = "FROM scratch\n", _ world: ContentsWorld, _ store: ComposeStore
    ) async throws -> Int {
        let definition = ImageDefinition(source: .containerfile(containerfile), platforms: [.host])
        switch try await store.addImage(world.registry.repository(path), as: definition, by: owner) {
        case .added(let image), .changed(let image): return image.id
        case .notAllowed(let reason): throw StepWorld.TestError(reason)
        }
    }

    @Test("a tag that others move is noticed, and contents are read once")
    func movedTag() async throws {
        try await TestDatabase.with { database in
            try await ContentsWorld.run { world in
                let store = database.store
                let reader = CountingReader()
                let watcher = Self.watcher(world, store, reader)
                let image = try await Self.add("team/app", world, store)
                try await Self.round(watcher)
                #expect(try await store.manifests(of: image) == [:])

                let first = try await world.push(Self.image("first"), to: "team/app", tag: "latest")
                for _ in 0..<2 { try await Self.round(watcher) }
                #expect(try await store.manifests(of: image) == [.host: first])
                #expect(reader.reads == [first: 1])

                let second = Self.image("second")
                try await world.push([.host: second], to: "team/app", tag: "latest")
                for _ in 0..<2 { try await Self.round(watcher) }
                #expect(try await store.manifests(of: image) == [.host: second.document.digest])
                #expect(reader.reads == [first: 1, second.document.digest: 1])

                // The tag goes back to an image that is known.
                try await world.push(Self.image("first"), to: "team/app", tag: "latest")
                try await Self.round(watcher)
                #expect(try await store.manifests(of: image) == [.host: first])
                #expect(reader.reads == [first: 1, second.document.digest: 1])
            }
        }
    }

    @Test("of two watchers at the same time, one does the round")
    func twoWatchers() async throws {
        try await TestDatabase.with { database in
            try await ContentsWorld.run { world in
                let reader = CountingReader()
                _ = try await Self.add("team/app", world, database.store)
                let digest = try await world.push(Self.image("text"), to: "team/app", tag: "latest")
                let watchers = (0..<2).map { _ in Self.watcher(world, database.store, reader, every: .seconds(600)) }
                async let one = watchers[0].round()
                async let other = watchers[1].round()
                let turns = [try await one, try await other]
                #expect(turns.count { $0 } == 1)
                #expect(reader.reads == [digest: 1])
                #expect(try await !watchers[0].round())
            }
        }
    }

    @Test("bases of others are known for the platforms of images, and a base that moves is noticed")
    func bases() async throws {
        try await TestDatabase.with { database in
            try await ContentsWorld.run { world in
                let store = database.store
                let reader = CountingReader()
                let watcher = Self.watcher(world, store, reader)
                let base = try ImageReference("\(world.registry.host)/vendor/base:9")
                // The base of the second image is one of this service.
                _ = try await Self.add("team/app", from: "FROM \(base) AS build\nFROM \(base)\nRUN touch /x\n", world, store)
                _ = try await Self.add("team/web", from: "FROM \(world.registry.host)/team/app:latest\nRUN touch /y\n", world, store)
                try await Self.round(watcher)
                #expect(try await store.bases([base]).isEmpty, "The registry does not have it.")

                let other = try Platform(Self.arm)
                for text in ["old", "new"] {
                    let image = Self.image(text)
                    let index: [Platform: SmallImage] = [.host: image, other: Self.image(text, for: other)]
                    try await world.push(index, to: "vendor/base", tag: "9")
                    for _ in 0..<2 { try await Self.round(watcher) }
                    let known = try #require(try await store.bases([base])[base])
                    #expect(known.mapValues(\.digest) == [.host: image.document.digest])
                    #expect(known[.host]?.contents?.state == Contents.State.none)
                    #expect(reader.reads[image.document.digest] == 1)
                }
                #expect(reader.reads.count == 2, "Nothing is read for a platform that no image has.")
                let own = try ImageReference("\(world.registry.host)/team/app:latest")
                try await world.push(Self.image("app"), to: "team/app", tag: "latest")
                try await Self.round(watcher)
                #expect(try await store.bases([own]).isEmpty)

                // An image gets another base, so nobody needs the old one.
                #expect(try await store.bases([base]).count == 1)
                _ = try await Self.add("team/app", from: "FROM \(world.registry.host)/vendor/other:1\nRUN touch /x\n", world, store)
                try await Self.round(watcher)
                #expect(try await store.bases([base]).isEmpty)
            }
        }
    }

    @Test("no request goes to a registry that images may not be based on")
    func forbiddenRegistry() async throws {
        try await TestDatabase.with { database in
            try await ContentsWorld.run { world in
                try await ScriptedRegistry.with { vendor in
                    let base = try ImageReference("\(vendor.host)/base:9")
                    _ = try await Self.add("team/app", from: "FROM \(base)\n", world, database.store)
                    let reader = CountingReader()
                    try await Self.round(Self.watcher(world, database.store, reader, allowed: [world.registry.host]))
                    #expect(vendor.requests.isEmpty)
                    #expect(reader.reads.isEmpty)
                }
            }
        }
    }
}
