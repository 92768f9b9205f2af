import ComposeModel
import Koji
import Repodata
import ScriptedHub
import Synchronization
import Testing

@testable import ContentSources

@Suite("Tags of Koji that change while a worker runs")
struct TagHistoryTests {
    // MARK: Random chains

    @Test("a worker that follows a chain of random changes lists the same packages as a fresh one", arguments: 1...12)
    func chain(_ seed: UInt64) async throws {
        try await TagWorld.with { world in
            var chain = RandomChain(seed: seed, world: world)
            let follower = try world.worker()
            var pins: [KojiPin.Tag] = []
            var byName = 0
            for step in 0..<40 {
                for _ in 0..<1 + chain.dice.roll(3) { chain.change() }
                let name = chain.dice.roll(4) == 0 ? "base" : "updates"
                let inherits = chain.dice.roll(4) > 0
                let earlier = pins.last { $0.name == name && $0.inherits == inherits }
                var pin = try await follower.pin(tag: name, event: nil, inherits: inherits, earlier: earlier).tag
                pins.append(pin)
                // An attempt that is repeated later lists an older pin.
                if chain.dice.roll(6) == 0 { pin = pins[chain.dice.roll(pins.count)] }
                let arches = chain.dice.roll(5) == 0 ? ["x86_64"] : TagWorld.arches
                let signatures = chain.dice.roll(6) == 0
                world.scripted.forget()
                let found = try await world.list(pin, follower, arches, signatures: signatures)
                byName += world.wholeListings == 0 ? 1 : 0
                let expected = try await world.list(pin, try world.worker(), arches, signatures: signatures)
                #expect(found == expected, "seed \(seed), step \(step), the tag \(pin.name) at the event \(pin.event)")
            }
            #expect(byName > 3, "seed \(seed)")
        }
    }

    // MARK: What is asked

    @Test("after a build was tagged, only packages of its name are listed again")
    func oneBuild() async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            let first = try await world.list(try await world.pin(worker), worker)
            let build = world.addBuild(of: "p1")
            world.database.tag(build, into: 2)
            let pin = try await world.pin(worker)
            world.scripted.forget()
            let second = try await world.list(pin, worker)
            #expect(second.subtracting(first).map(\.path) == ["packages/p1/1/\(build)/x86_64/p1-1-\(build).x86_64.rpm"])
            #expect(first.subtracting(second).map(\.build) == ["p1-1-2"])
            // The last change, the history, the changes before the known ones, and the packages.
            #expect(world.scripted.calls.map(\.method) == ["multiCall", "multiCall", "multiCall", "multiCall"])
            let listings = world.scripted.calls.flatMap { $0.arguments.first?.array ?? [] }.filter { $0["methodName"] == "listTaggedRPMS" }
            #expect(listings.map { XMLRPCCall(part: $0).keywords.first { $0.name == "package" }?.value } == ["p1"])
        }
    }

    @Test("a build that is untagged and deleted gives way to an older one of its package")
    func deleted() async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            let build = world.addBuild(of: "p1")
            world.database.tag(build, into: 2)
            _ = try await world.list(try await world.pin(worker), worker)
            world.database.delete(build)
            let pin = try await world.pin(worker)
            world.scripted.forget()
            #expect(try await world.list(pin, worker).filter { $0.nevra.name == "p1" }.map(\.build) == ["p1-1-2"])
            #expect(world.wholeListings == 0)
        }
    }

    /// Changes after which the hub lists the whole tag.
    static let others: [(name: String, change: @Sendable (TagWorld) -> Void)] = [
        ("a package was blocked", { $0.database.list("p1", in: 2, isBlocked: true) }),
        ("a parent was added", { $0.database.setParents([1, 3], of: 2) }),
        ("a parent of a parent was added", { $0.database.setParents([3], of: 1) }),
        ("a build was moved to another volume", { $0.database.move(1, to: "vol2") }),
        ("a package was imported", { $0.database.importPackage("more", "x86_64", into: 1) }),
        ("the tag was edited", { $0.database.edit(.tagConfig, of: 2) }),
        ("a setting of the parent was edited", { $0.database.edit(.tagExtra, of: 1) }),
        ("a group was edited", { $0.database.edit(.groupPackages, of: 2) }),
        (
            "a build was moved, and another one tagged after it",
            { world in
                world.database.move(1, to: "vol2")
                world.database.tag(world.addBuild(of: "p2"), into: 2)
            }
        ),
        (
            "a build was moved between two that were tagged",
            { world in
                world.database.tag(world.addBuild(of: "p1"), into: 2)
                world.database.move(3, to: "vol2")
                world.database.tag(world.addBuild(of: "p2"), into: 1)
            }
        ),
        (
            "builds of more than 200 packages were tagged",
            { world in for number in 0..<201 { world.database.tag(world.addBuild(of: "many-\(number)"), into: 2) } }
        ),
        ("more than 50 builds were tagged", { world in for _ in 0..<51 { world.database.tag(world.addBuild(of: "p1"), into: 2) } }),
    ]

    @Test("after any other change, the whole tag is listed", arguments: others.indices)
    func otherChanges(_ index: Int) async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            _ = try await world.list(try await world.pin(worker), worker)
            let (name, change) = Self.others[index]
            change(world)
            let pin = try await world.pin(worker)
            world.scripted.forget()
            let found = try await world.list(pin, worker)
            #expect(world.wholeListings == 1, "\(name)")
            let expected = try await world.list(pin, try world.worker())
            #expect(found == expected, "\(name)")
            // Once no change can come to light late, the listing is the base of the next ones.
            world.database.wait(seconds: 2 * KojiSource.longestChange)
            world.database.tag(world.addBuild(of: "unrelated"), into: 4)
            _ = try await world.list(try await world.pin(worker), worker)
            let later = try await world.pin(worker)
            world.scripted.forget()
            let again = try await world.list(later, worker)
            #expect(world.wholeListings == 0, "\(name)")
            #expect(again == found, "\(name)")
        }
    }

    @Test("a change that becomes visible after later ones is not missed")
    func late() async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            let (slow, quick) = (world.addBuild(of: "p1"), world.addBuild(of: "p2"))
            let event = world.database.reserveEvent()
            world.database.tag(quick, into: 2)
            let before = try await world.list(try await world.pin(worker), worker)
            #expect(!before.contains { $0.build == "p1-1-\(slow)" })
            world.database.tag(slow, into: 2, at: event)
            let pin = try await world.pin(worker)
            world.scripted.forget()
            #expect(try await world.list(pin, worker).contains { $0.build == "p1-1-\(slow)" })
            #expect(world.wholeListings == 0)
        }
    }

    @Test("a hub without tagLastChangeEvent lists the whole tag each time")
    func olderHub() async throws {
        try await TagWorld.with(knowsLastChange: false) { world in
            let worker = try world.worker()
            for _ in 0..<3 {
                world.database.tag(world.addBuild(of: "p1"), into: 2)
                let pin = try await world.pin(worker)
                world.scripted.forget()
                let found = try await world.list(pin, worker)
                #expect(world.wholeListings == 1)
                #expect(try await world.list(pin, try world.worker()) == found)
            }
        }
    }

    @Test("a hub that refuses one of the calls lists the whole tag", arguments: ["queryHistory", "listTaggedRPMS"])
    func refused(_ method: String) async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            _ = try await world.list(try await world.pin(worker), worker)
            world.database.tag(world.addBuild(of: "p1"), into: 2)
            let pin = try await world.pin(worker)
            world.scripted.answerEach { call in
                let isOfName = call.keywords.contains { $0.name == "package" }
                if call.method == method, method != "listTaggedRPMS" || isOfName { return .fault(1000, "not now") }
                return world.database.reply(to: call)
            }
            world.scripted.forget()
            let found = try await world.list(pin, worker)
            #expect(world.wholeListings == 1)
            world.scripted.answerEach { world.database.reply(to: $0) }
            #expect(try await world.list(pin, try world.worker()) == found)
        }
    }

    @Test("the whole tag is listed once a day, whatever changes")
    func daily() async throws {
        try await TagWorld.with { world in
            let start = ContinuousClock.now
            let hours = Mutex(0)
            let worker = try world.worker { start + .seconds(3600 * hours.withLock(\.self)) }
            for (hour, expected) in [(0, 1), (1, 0), (23, 0), (24, 1), (47, 0), (48, 1)] {
                hours.withLock { $0 = hour }
                world.database.tag(world.addBuild(of: "p1"), into: 2)
                let pin = try await world.pin(worker)
                world.scripted.forget()
                _ = try await world.list(pin, worker)
                #expect(world.wholeListings == expected, "after \(hour) hours")
            }
        }
    }

    @Test("a past event that a request names is listed as a whole")
    func pastEvent() async throws {
        try await TagWorld.with { world in
            let worker = try world.worker()
            let now = try await world.pin(worker)
            let expected = try await world.list(now, worker)
            world.database.tag(world.addBuild(of: "p1"), into: 2)
            let past = try await worker.pin(tag: "updates", event: now.event, inherits: true, earlier: nil).tag
            world.scripted.forget()
            #expect(try await world.list(past, worker) == expected)
            #expect(world.wholeListings == 1)
        }
    }

    // MARK: What is kept

    @Test("the listings that were used last are kept, within the limit")
    func limit() {
        let kept = KeptListings(mostPackages: 25)
        func key(_ tag: Int) -> KeptListings.Key { .init(tag: tag, inherits: true, arches: []) }
        func keep(_ tag: Int, packages: Int, settledEvent: Int = 1) {
            var content = KojiContent()
            for id in 0..<packages {
                var rpm = KojiRPM()
                rpm.id = id + 1
                content.add(rpm)
            }
            kept.keep(.init(content: content, settledEvent: settledEvent, family: [tag], listedAsWhole: .now), as: key(tag))
        }
        func counts() -> [Int?] { (1...4).map { kept.listing(key($0))?.content.listed.count } }
        keep(1, packages: 10)
        keep(2, packages: 10)
        _ = kept.listing(key(1))
        keep(3, packages: 10)
        #expect(counts() == [10, nil, 10, nil])
        keep(4, packages: 26)
        #expect(counts() == [10, nil, 10, nil])
        keep(1, packages: 11, settledEvent: 2)
        keep(1, packages: 12)
        #expect(counts() == [11, nil, 10, nil])
    }
}
