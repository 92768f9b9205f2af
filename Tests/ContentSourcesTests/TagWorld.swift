import ComposeModel
import Koji
import Modules
import ScriptedHub

@testable import ContentSources

/// A hub with the tags `base` (1), `updates` (2) with its parent `base`, `extra` (3) and `unrelated`
/// (4). `base` has a build of each of ten packages.
struct TagWorld: Sendable {
    static let arches = ["noarch", "src", "x86_64"]
    static let packages = (0..<10).map { "p\($0)" }

    let database: TagDatabase
    let scripted: ScriptedHub
    private let hub: KojiHub
    private let bench: Workbench

    static func with(knowsLastChange: Bool = true, _ body: (TagWorld) async throws -> Void) async throws {
        try await Workbench.with { bench in
            try await ScriptedHub.with { scripted in
                let hub = try KojiHub(
                    try scripted.profile(), limits: KojiLimits(attempts: 2, firstPause: .milliseconds(1)), logger: Workbench.logger)
                let database = TagDatabase(knowsLastChange: knowsLastChange)
                let world = TagWorld(database: database, scripted: scripted, hub: hub, bench: bench)
                scripted.answerEach { database.reply(to: $0) }
                for (id, name) in [(1, "base"), (2, "updates"), (3, "extra"), (4, "unrelated")] { database.addTag(id, name) }
                database.setParents([1], of: 2)
                for name in packages + ["unrelated"] { database.list(name, in: 1) }
                database.list("unrelated", in: 4)
                for name in packages { database.tag(world.addBuild(of: name), into: 1) }
                // Everything so far is settled.
                database.wait(seconds: 2 * KojiSource.longestChange)
                database.tag(world.addBuild(of: "unrelated"), into: 4)
                let outcome: Result<Void, any Error>
                do { outcome = .success(try await body(world)) } catch { outcome = .failure(error) }
                try await hub.shutdown()
                try outcome.get()
            }
        }
    }

    /// A worker that has not listed anything yet.
    func worker(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) throws -> KojiSource {
        KojiSource(
            hub: hub, files: try bench.koji(.directory(bench.sources)), isRemote: false,
            tags: TagLister(hub: hub, logger: Workbench.logger, now: now))
    }

    /// A build with one package of its name.
    func addBuild(of name: String) -> Int {
        let build = database.addBuild(of: name)
        database.importPackage(name, "x86_64", into: build)
        return build
    }

    /// The state of `updates` now.
    func pin(_ worker: KojiSource) async throws -> KojiPin.Tag {
        try await worker.pin(tag: "updates", event: nil, inherits: true, earlier: nil).tag
    }

    func list(
        _ pin: KojiPin.Tag, _ worker: KojiSource, _ arches: [String] = TagWorld.arches, signatures: Bool = false
    ) async throws -> Set<KojiPackage> {
        let packages = try await worker.packages(of: KojiPin(tag: pin), arches: arches, signatures: signatures)
        let found = Set(packages)
        guard found.count == packages.count else { throw ComposeFailure(.internal, "a package is listed twice") }
        return found
    }

    /// The number of listings of a whole tag since the hub forgot its calls.
    var wholeListings: Int { scripted.calls.count { $0.method == "listTaggedRPMS" } }
}

/// Random changes of the tags of a ``TagWorld``, the same for the same seed.
struct RandomChain {
    struct Dice {
        var state: UInt64

        /// A number from 0 up to `sides`, without it.
        mutating func roll(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state ^ state >> 31) >> 33) % sides
        }
    }

    var dice: Dice
    private let world: TagWorld
    private var builds: [Int] = []
    /// Builds that are tagged when their events become visible.
    private var late: [(build: Int, tag: Int, event: Int)] = []

    init(seed: UInt64, world: TagWorld) {
        dice = Dice(state: seed &* 0x9E37_79B9_7F4A_7C15)
        self.world = world
        for name in TagWorld.packages {
            for _ in 0..<2 {
                let build = world.addBuild(of: name)
                world.database.importPackage("\(name)-doc", "noarch", into: build)
                world.database.importPackage(name, "src", into: build)
                builds.append(build)
            }
        }
    }

    mutating func change() {
        let database = world.database
        let tag = 1 + dice.roll(3)
        switch dice.roll(60) {
        case 0..<22: database.tag(builds[dice.roll(builds.count)], into: tag)
        case 22..<34:
            let tagged = database.builds(in: tag)
            if !tagged.isEmpty { database.untag(tagged[dice.roll(tagged.count)], from: tag) }
        case 34: database.list(name(), in: tag, isBlocked: dice.roll(3) > 0)
        case 35: database.setParents([[1], [1, 3], [3, 1], []][dice.roll(4)], of: 2)
        case 36: database.importPackage("imported", "noarch", into: builds[dice.roll(builds.count)])
        case 37: database.move(builds[dice.roll(builds.count)], to: ["DEFAULT", "vol1", "vol2"][dice.roll(3)])
        case 38: database.edit([.tagConfig, .tagExtra, .groupConfig][dice.roll(3)], of: 1 + dice.roll(4))
        case 39:
            database.delete(builds.remove(at: dice.roll(builds.count)))
            builds.append(world.addBuild(of: name()))
        case 40: database.sign(builds[dice.roll(builds.count)], with: "0b3e5524")
        case 41..<44: database.tag(world.addBuild(of: "unrelated"), into: 4)
        case 44..<46: late.append((world.addBuild(of: name()), tag, database.reserveEvent()))
        case 46..<50: showLate()
        default:
            // A change takes at most so long to become visible.
            showLate()
            database.wait(seconds: KojiSource.longestChange + 100)
        }
    }

    private mutating func name() -> String { TagWorld.packages[dice.roll(TagWorld.packages.count)] }

    private mutating func showLate() {
        for change in late { world.database.tag(change.build, into: change.tag, at: change.event) }
        late = []
    }
}
