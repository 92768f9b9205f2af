import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

@Suite struct FarmTests {
    private let retries = RetryPolicy(attempts: 3, firstDelay: .zero)
    private let lost = BuildFailure(.nodeLost, "The node n1 was lost.", isTransient: true)
    /// The offer of a worker that has no node of its own.
    private static let driver: StepOffer = {
        var offer = StepOffer(platforms: [])
        offer.nodes = true
        offer.lists = false
        return offer
    }()

    private static func native(_ native: [Platform], emulated: [Platform] = []) -> NodeLook {
        NodeLook(engine: "podman 4.3.1", probe: .init(native: native, emulated: emulated))
    }

    private static func docker(_ native: [Platform]) -> NodeLook {
        NodeLook(engine: "docker 20.10.24", probe: .init(native: native))
    }

    /// Adds a node that a worker has seen.
    private func add(
        _ name: String, to database: TestDatabase, _ look: NodeLook, slots: Int = 1, weight: Int = 10, labels: [String: String] = [:]
    ) async throws {
        var node = FarmNode(name: name, connection: .unix(path: "/run/\(name).sock"))
        node.slots = slots
        node.weight = weight
        node.labels = labels
        #expect(try await database.store.addNode(node))
        try await database.store.record(look, at: try await database.store.node(name), next: .seconds(600))
    }

    private func claim(_ database: TestDatabase, _ offer: StepOffer = driver) async throws -> StepLease? {
        try await database.store.claimStep(by: "w", offering: offer, for: .seconds(60))
    }

    private func submit(_ database: TestDatabase, _ platforms: [Platform], on placement: Placement? = nil) async throws -> Build {
        let image = try await database.image("i\(UUID().uuidString.prefix(8).lowercased())", platforms)
        return try await database.store.submitBuild(
            of: image.id, BuildRequest(image.definition, placement: placement), owner: "me", dateTag: TestDatabase.day)
    }

    @Test("a node builds natively before another one emulates, and with emulation if no other one is alive")
    func nativeFirst() async throws {
        try await TestDatabase.with { database in
            let (amd64, arm64) = (TestDatabase.amd64, TestDatabase.arm64)
            try await add("emulator", to: database, Self.native([amd64], emulated: [arm64]), slots: 9, weight: 100)
            try await add("arm", to: database, Self.native([arm64]), slots: 1)
            for _ in 0..<2 { _ = try await submit(database, [arm64]) }
            let first = try #require(try await claim(database))
            #expect(first.step.node == "arm")
            // The one that has no emulator is busy, and alive.
            #expect(try await claim(database) == nil)
            try await database.store.recordLoss(of: "arm", because: "It is away.")
            #expect(try await claim(database)?.step.node == "emulator")
        }
    }

    @Test("a step that has waited for long goes to an emulator although a native node is alive")
    func patience() async throws {
        try await TestDatabase.with { database in
            let arm64 = TestDatabase.arm64
            try await add("emulator", to: database, Self.native([], emulated: [arm64]))
            try await add("arm", to: database, Self.native([arm64]), slots: 1)
            for _ in 0..<2 { _ = try await submit(database, [arm64]) }
            #expect(try await claim(database)?.step.node == "arm")
            #expect(try await claim(database) == nil)
            _ = try await database.pool.query("UPDATE build_steps SET available_at = now() - interval '5 min' WHERE state = 0")
            #expect(try await claim(database)?.step.node == "emulator")
        }
    }

    @Test("the node with the greatest weight comes first, as long as it has a free slot, and then the one with most free slots")
    func weights() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            try await add("heavy", to: database, Self.native([amd64]), slots: 2, weight: 20)
            try await add("a", to: database, Self.native([amd64]), slots: 1)
            try await add("b", to: database, Self.native([amd64]), slots: 2)
            for _ in 0..<6 { _ = try await submit(database, [amd64]) }
            var nodes: [String?] = []
            while let lease = try await claim(database) { nodes.append(lease.step.node) }
            #expect(nodes == ["heavy", "heavy", "b", "a", "b"])
        }
    }

    @Test("two platforms of one build are built by one node")
    func onePlatformEach() async throws {
        try await TestDatabase.with { database in
            try await add("n1", to: database, Self.native([TestDatabase.amd64], emulated: [TestDatabase.arm64]), slots: 2)
            _ = try await submit(database, [TestDatabase.amd64, TestDatabase.arm64])
            let leases = [try await claim(database), try await claim(database)]
            #expect(leases.map { $0?.step.node } == ["n1", "n1"])
            #expect(Set(leases.compactMap { $0?.step.platform }) == [TestDatabase.amd64, TestDatabase.arm64])
        }
    }

    @Test("a build goes to the farm or the nodes that it names, else to the default farm, else to all nodes")
    func placement() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            for name in ["n1", "n2", "n3"] { try await add(name, to: database, Self.native([amd64]), slots: 9) }
            #expect(try await database.store.createFarm(Farm(name: "f", nodes: ["n2"])))
            #expect(try await !database.store.createFarm(Farm(name: "f")))
            _ = try await submit(database, [amd64], on: .farm("f"))
            #expect(try await claim(database)?.step.node == "n2")
            _ = try await submit(database, [amd64], on: .nodes(["n3"]))
            #expect(try await claim(database)?.step.node == "n3")
            _ = try await submit(database, [amd64])
            #expect(try await claim(database)?.step.node == "n1")
            _ = try await database.store.changeFarm("f", isDefault: true)
            _ = try await submit(database, [amd64])
            #expect(try await claim(database)?.step.node == "n2")
            // The worker's own node is not in the default farm.
            _ = try await submit(database, [amd64])
            #expect(try await claim(database, TestDatabase.everything) == nil)
            _ = try await database.store.changeFarm("f", adding: ["local"], removing: ["n2"])
            #expect(try await claim(database) == nil)
            #expect(try await claim(database, TestDatabase.everything)?.step.node == "local")
            _ = try await submit(database, [amd64], on: .farm("f"))
            #expect(try await database.store.removeFarm("f"))
            // A farm that is gone has no nodes.
            #expect(try await claim(database, TestDatabase.everything) == nil)
        }
    }

    @Test("a step moves from a node that failed to another one at once, which is no failure, and comes back if all have failed")
    func moves() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            try await add("n1", to: database, Self.native([amd64]), weight: 20)
            try await add("n2", to: database, Self.native([amd64]))
            let build = try await submit(database, [amd64])
            var nodes: [String?] = []
            for _ in 0..<2 {
                let lease = try #require(try await claim(database))
                nodes.append(lease.step.node)
                #expect(
                    try await database.store.fail(lease, with: lost, isOfNode: true, retries: retries) == .retried(after: .zero))
            }
            #expect(nodes == ["n1", "n2"])
            var step = try await database.build(build.id).steps[0]
            #expect(step.failedNodes == ["n1", "n2"])
            #expect(step.stateReason == "The node n2 could not build it: The node n1 was lost. Another node tries.")
            // From now on it counts.
            for _ in 0..<3 {
                let lease = try #require(try await claim(database))
                #expect(lease.step.node == "n1")
                _ = try await database.store.fail(lease, with: lost, isOfNode: true, retries: retries)
            }
            step = try await database.build(build.id).steps[0]
            #expect(step.state == .failed)
            #expect(step.failure?.code == .nodeLost)
        }
    }

    @Test("a node that is lost, disabled or not tried yet gets no steps, and one that lies is disabled with the reason")
    func unusable() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            _ = try await database.store.addNode(FarmNode(name: "new", connection: .unix(path: "/x")))
            try await add("n1", to: database, Self.native([amd64]))
            _ = try await submit(database, [amd64])
            try await database.store.recordLoss(of: "n1", because: "connection refused")
            #expect(try await claim(database) == nil)
            try await database.store.record(NodeLook(), at: try await database.store.node("n1"), next: .seconds(600))
            try await database.store.disableNode("n1", because: "It lies.")
            #expect(try await claim(database) == nil)
            var node = try await database.store.node("n1")
            #expect(node.problem == "It lies.")
            // A look does not take the reason away, and a person enables it again.
            try await database.store.record(NodeLook(), at: node, next: .seconds(600))
            node = try await database.store.node("n1")
            #expect(node.problem == "It lies.")
            node.isEnabled = true
            #expect(try await database.store.changeNode(node).problem == nil)
            #expect(try await claim(database)?.step.node == "n1")
        }
    }

    @Test("a node of a farm has the labels that an image requires, and one of docker gets no build with the packages of composes")
    func requirements() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            try await add("plain", to: database, Self.docker([amd64]), slots: 9)
            try await add("rhel", to: database, Self.docker([amd64]), labels: ["host": "rhel"])
            var image = try await database.image("needy", [amd64])
            image.definition.requires = ["host": "rhel"]
            _ = try await database.store.submitBuild(of: image.id, BuildRequest(image.definition), owner: "me", dateTag: TestDatabase.day)
            #expect(try await claim(database)?.step.node == "rhel")
            let compose = try await database.store.submit(.repo(), owner: "me").id
            let other = try await database.image("other", [amd64])
            let build = try await database.build(of: other)
            _ = try await database.pool.query("INSERT INTO build_composes (build_id, compose_id) VALUES (\(build.id), \(compose))")
            #expect(try await claim(database) == nil)
            #expect(try await claim(database, TestDatabase.everything)?.step.node == "local")
        }
    }

    @Test("a build with the packages of composes goes to nodes of podman, and waits with a reason if there is only docker")
    func composesOnFarm() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            try await add("n1", to: database, Self.docker([amd64]), slots: 9)
            #expect(try await database.store.createFarm(Farm(name: "f", isDefault: true, nodes: ["n1"])))
            let compose = try await database.store.submit(.repo(), owner: "me").id
            var builds: [Build] = []
            for placement in [nil, .farm("f")] as [Placement?] {
                let build = try await submit(database, [amd64], on: placement)
                _ = try await database.pool.query(
                    "INSERT INTO build_composes (build_id, compose_id) VALUES (\(build.id), \(compose))")
                builds.append(try await database.build(build.id))
            }
            for build in builds {
                let reasons = try await database.store.waitingReasons(of: build)
                #expect(
                    reasons[build.steps[0].id]
                        == "It waits for a worker or a node of podman that builds linux/amd64, because docker cannot show the packages of "
                        + "composes to a build. Name the node local too.")
            }
            #expect(try await claim(database) == nil)
            #expect(try await claim(database, TestDatabase.everything) == nil)
            try await add("n2", to: database, Self.native([amd64]), slots: 9)
            _ = try await database.store.changeFarm("f", adding: ["n2"])
            for build in builds {
                let lease = try #require(try await claim(database))
                #expect(lease.step.build == build.id)
                #expect(lease.step.node == "n2")
            }
        }
    }

    @Test("a step that is tried again goes back to its node, and waits for it while it is busy, but not while it is lost")
    func sameNode() async throws {
        try await TestDatabase.with { database in
            let amd64 = TestDatabase.amd64
            try await add("n1", to: database, Self.native([amd64]), weight: 20)
            try await add("n2", to: database, Self.native([amd64]), slots: 9)
            let away = BuildFailure(.registryUnreachable, "The registry does not answer.", isTransient: true)
            _ = try await submit(database, [amd64])
            let first = try #require(try await claim(database))
            #expect(first.step.node == "n1")
            #expect(try await database.store.fail(first, with: away, retries: retries) == .retried(after: .zero))
            // A greater weight does not take the step away from the node that may have its image.
            var node = try await database.store.node("n2")
            node.weight = 100
            _ = try await database.store.changeNode(node)
            let second = try #require(try await claim(database))
            #expect(second.step.node == "n1")
            _ = try await database.store.fail(second, with: away, retries: retries)
            let other = try await submit(database, [amd64], on: .nodes(["n1"]))
            _ = try await database.pool.query("UPDATE build_steps SET priority = 1 WHERE build_id = \(other.id)")
            #expect(try await claim(database)?.step.build == other.id)
            #expect(try await claim(database) == nil)
            try await database.store.recordLoss(of: "n1", because: "It is away.")
            #expect(try await claim(database)?.step.node == "n2")
        }
    }

    @Test("a lost node that a person asks for counts as new until a worker has looked at it")
    func asksLost() async throws {
        try await TestDatabase.with { database in
            try await add("n1", to: database, Self.native([TestDatabase.amd64]))
            try await database.store.recordLoss(of: "n1", because: "connection refused")
            #expect(try await database.store.askProbe(of: "n1").state == .new)
            try await database.store.recordLoss(of: "n1", because: "connection refused")
            #expect(try await database.store.askPrune(of: "n1", PruneRequest()).state == .new)
            let node = try #require(try await database.store.nodesToLookAt(for: .seconds(600), orOnly: .seconds(600)).first)
            try await database.store.record(Self.native([TestDatabase.amd64]), at: node, next: .seconds(600))
            #expect(try await database.store.askProbe(of: "n1").state == .ready)
        }
    }

    @Test("a step that no node can build has a reason, which names the nodes and why")
    func reasons() async throws {
        try await TestDatabase.with { database in
            let (amd64, arm64) = (TestDatabase.amd64, TestDatabase.arm64)
            let build = try await submit(database, [arm64])
            let reasons = try await database.store.waitingReasons(of: build)
            #expect(
                reasons[build.steps[0].id]
                    == "It waits. No node builds linux/arm64. local is lost (No worker is alive that builds images itself.).")
            try await add(
                "n1", to: database, NodeLook(probe: .init(native: [amd64], absent: [arm64: "no emulator is registered"])))
            #expect(try await database.store.createFarm(Farm(name: "f", nodes: ["n1"])))
            let onFarm = try await submit(database, [amd64, arm64], on: .farm("f"))
            let found = try await database.store.waitingReasons(of: onFarm)
            #expect(
                found == [
                    onFarm.steps[1].id: "It waits. No node of the farm f builds linux/arm64. n1 cannot (no emulator is registered)."
                ])
            #expect(try await database.store.removeFarm("f"))
            let gone = try await database.store.waitingReasons(of: onFarm)
            #expect(gone[onFarm.steps[0].id] == "It waits, because its nodes are gone. There is no farm \"f\". There is none at all yet.")
        }
    }

    @Test("the node local shows the platforms of the workers that are alive")
    func local() async throws {
        try await TestDatabase.with { database in
            var local = try await database.store.node("local")
            #expect(local.state == .lost)
            try await database.store.workerIsAlive("w1", slots: 1)
            var offer = StepOffer(platforms: [TestDatabase.amd64, TestDatabase.arm64], labels: ["host": "rhel"])
            offer.emulated = [TestDatabase.arm64]
            try await database.store.record(offer, slots: 3, of: "w1")
            local = try await database.store.node("local")
            #expect(local.state == .ready)
            #expect(local.native == [TestDatabase.amd64])
            #expect(local.emulated == [TestDatabase.arm64])
            #expect(local.slots == 3)
            try await database.store.record(nodeProblem: "It lies.", of: "w1")
            local = try await database.store.node("local")
            #expect(local.state == .lost)
            #expect(local.problem == "It lies.")
        }
    }

    @Test("a node is looked at by one worker at a time, again after its pause, and at once if a person asks")
    func looks() async throws {
        try await TestDatabase.with { database in
            #expect(try await database.store.addNode(FarmNode(name: "n1", connection: .unix(path: "/x"))))
            let found = try await database.store.nodesToLookAt(for: .seconds(600), orOnly: .seconds(600))
            #expect(found.map(\.name) == ["n1"])
            #expect(found[0].awaitsProbe)
            #expect(try await database.store.nodesToLookAt(for: .seconds(600), orOnly: .seconds(600)).isEmpty)
            try await database.store.record(Self.native([TestDatabase.amd64]), at: found[0], next: .seconds(600))
            #expect(try await database.store.nodesToLookAt(for: .seconds(600), orOnly: .seconds(600)).isEmpty)
            #expect(try await !database.store.node("n1").awaitsProbe)
            _ = try await database.store.askPrune(of: "n1", PruneRequest(all: true))
            let asked = try await database.store.nodesToLookAt(for: .seconds(600), orOnly: .seconds(600))
            #expect(asked.first?.prune.asked == PruneRequest(all: true))
            let result = PruneResult(removed: 3, left: 1, time: Date(timeIntervalSince1970: 1000))
            try await database.store.record(NodeLook(prune: result), at: asked[0], next: .seconds(600))
            let node = try await database.store.node("n1")
            #expect(node.prune == NodePrune(result: result))
            #expect(node.native == [TestDatabase.amd64])
        }
    }

    @Test("an unknown name is answered with the names that are similar to it")
    func names() async throws {
        try await TestDatabase.with { database in
            for name in ["arm1", "x86"] { _ = try await database.store.addNode(FarmNode(name: name, connection: .unix(path: "/x"))) }
            let error = await #expect(throws: NoSuchFarm.self) { try await database.store.node("amr1") }
            #expect(error?.known.first == "arm1")
            #expect(error?.description.hasPrefix("There is no node \"amr1\". There is arm1, ") == true)
            await #expect(throws: NoSuchFarm.self) { try await database.store.createFarm(Farm(name: "f", nodes: ["nope"])) }
            #expect(try await database.store.farms().isEmpty)
        }
    }

    @Test("the schedule shows the node that a claim would choose, and why")
    func schedule() async throws {
        try await TestDatabase.with { database in
            let (amd64, arm64) = (TestDatabase.amd64, TestDatabase.arm64)
            try await add("n1", to: database, Self.native([amd64], emulated: [arm64]), weight: 20)
            try await add("n2", to: database, Self.native([amd64]))
            let rows = try await database.store.schedule([amd64, arm64], on: .nodes(["n1", "n2"]))
            #expect(rows.map(\.node) == ["n1", "n1"])
            #expect(rows.map(\.isNative) == [true, false])
            #expect(rows[0].reason == "It runs linux/amd64 itself. It has the greatest weight.")
            #expect(rows[1].reason == "It has an emulator for linux/arm64, and no node runs it without one.")
            for platform in [amd64, arm64] {
                _ = try await submit(database, [platform], on: .nodes(["n1", "n2"]))
                let lease = try #require(try await claim(database))
                #expect(lease.step.node == rows.first { $0.platform == platform }?.node)
                #expect(try await database.store.finish(lease, digest: .numbered(lease.id)))
            }
        }
    }
}
