import ComposeModel
import ContentSources
import Koji
import ScriptedHub
import Testing

/// The ways by which a tag inherits from the tags that have its packages.
@Suite("Inheritance of Koji tags") struct KojiInheritanceTests {
    private static let pin = KojiPin.Tag(name: "top", id: 10, event: 100, inherits: true)

    private static func tag(_ id: Int, _ name: String) -> KojiPackage.Tag { .init(id: id, name: name) }

    /// `top` inherits from `left` and `right`, and both inherit from `base`.
    private static let parents: XMLRPCValue = .array(
        [(11, "left", 10), (13, "base", 11), (12, "right", 10), (13, "base", 12)].map { id, name, child in
            ["parent_id": .int(id), "name": .string(name), "child_id": .int(child)]
        })

    private func ways(
        from pin: KojiPin.Tag, to tags: Set<KojiPackage.Tag>, reply: Reply = .value(parents)
    ) async throws -> (ways: [KojiPackage.Tag: [String]], calls: [String]) {
        var found: (ways: [KojiPackage.Tag: [String]], calls: [String]) = ([:], [])
        try await TagWorld.with { world in
            world.scripted.answerEach { $0.method == "getFullInheritance" ? reply : nil }
            let ways = try await world.worker().ways(from: pin, to: tags)
            found = (ways, world.scripted.calls.map(\.method))
        }
        return found
    }

    @Test("each way leads from the compose's tag to the tag of the package, by the parent that Koji searches first")
    func paths() async throws {
        let (top, right, base, other) = (Self.tag(10, "top"), Self.tag(12, "right"), Self.tag(13, "base"), Self.tag(99, "module-x"))
        let found = try await ways(from: Self.pin, to: [top, right, base, other])
        #expect(found.ways == [top: ["top"], right: ["top", "right"], base: ["top", "left", "base"], other: ["module-x"]])
        #expect(found.calls == ["getFullInheritance"])
    }

    @Test("the hub is not asked if all packages are in the tag itself, or if the tag takes nothing from its parents")
    func unasked() async throws {
        let found = try await ways(from: Self.pin, to: [Self.tag(10, "top")])
        #expect(found.ways == [Self.tag(10, "top"): ["top"]] && found.calls.isEmpty)
        var alone = Self.pin
        alone.inherits = false
        #expect(try await ways(from: alone, to: [Self.tag(13, "base")]).calls.isEmpty)
    }

    @Test("a pin without the number of its tag has its ways by the name, and a hub that refuses the question leaves the tag alone")
    func unknown() async throws {
        var pin = Self.pin
        pin.id = nil
        #expect(try await ways(from: pin, to: [Self.tag(12, "right")]).ways == [Self.tag(12, "right"): ["top", "right"]])
        let refused = try await ways(from: Self.pin, to: [Self.tag(12, "right")], reply: .fault(1000, "No such entry in table tag"))
        #expect(refused.ways == [Self.tag(12, "right"): ["right"]])
    }

    @Test("parents that lead in a circle end")
    func circle() async throws {
        let circle: XMLRPCValue = .array([
            ["parent_id": 11, "name": "left", "child_id": 12], ["parent_id": 12, "name": "right", "child_id": 11],
        ])
        let found = try await ways(from: Self.pin, to: [Self.tag(11, "left")], reply: .value(circle))
        #expect(found.ways == [Self.tag(11, "left"): ["top", "right", "left"]])
    }
}
