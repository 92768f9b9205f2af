import ImageModel
import Rebuilds
import Testing

/// Plans for small worlds of images, in which a compose has openssl-libs 1:3.0.7-28.
@Suite struct RebuildPlannerTests {
    private static let amd64 = certain { try Platform("linux/amd64") }
    private static let arm64 = certain { try Platform("linux/arm64") }
    private static let old = package("openssl-libs", "3.0.7", "27", epoch: 1)
    private static let new = package("openssl-libs", "3.0.7", "28", epoch: 1)

    private static func package(
        _ name: String, _ version: String, _ release: String, epoch: Int = 0, arch: String = "x86_64", module: String? = nil
    ) -> InstalledPackage {
        InstalledPackage(
            name: name, evr: EVR(epoch: epoch, version: version, release: release), arch: arch, modularityLabel: module)
    }

    /// The images by name. `bases` has the reference after FROM, `scratch`, or nothing if it is not known.
    private struct World {
        var planner = RebuildPlanner(offered: OfferedPackages(["x86_64": [new]]), images: [], affected: AffectedImages())
        var ids: [String: Int] = [:]

        mutating func image(
            _ name: String, from base: String? = nil, others: [String] = [], upgrades: Bool = false, platforms: [Platform] = [amd64],
            has packages: [InstalledPackage] = [old], unknown: String? = nil
        ) throws {
            let id = planner.images.count + 1
            ids[name] = id
            let bases: KnownImage.Base =
                try base.map { base in
                    base == "scratch" ? .scratch : .image(try ImageReference("r.example/\(base)").withDefaultTag)
                } ?? .unknown
            planner.images.append(
                KnownImage(
                    id: id, repository: try ImageReference("r.example/\(name)").repository,
                    bases: Dictionary(uniqueKeysWithValues: platforms.map { ($0, bases) }),
                    others: Set(try others.map { try ImageReference("r.example/\($0)").withDefaultTag }), upgrades: upgrades))
            for platform in platforms {
                let digest = try ImageDigest("sha256:" + String(repeating: "\(id % 10)", count: 64))
                if let unknown {
                    planner.affected.unknown.append(.init(image: id, platform: platform, digest: digest, problem: unknown))
                } else if !packages.isEmpty {
                    let findings = packages.map { AffectedImages.Finding(installed: $0, newest: new.evr) }
                    planner.affected.affected.append(.init(image: id, platform: platform, digest: digest, findings: findings))
                }
            }
        }

        mutating func foreign(_ name: String, has packages: [InstalledPackage]?) throws {
            let digest = try ImageDigest("sha256:" + String(repeating: "5c", count: 32))
            planner.foreign[try ImageReference("r.example/\(name)").withDefaultTag] = [
                amd64: ForeignBase(digest: digest, packages: packages?.newest)
            ]
        }

        /// The plan as lines: name, decision, parents, reason.
        func plan() throws -> [String] {
            let names = Dictionary(uniqueKeysWithValues: ids.map { ($1, $0) })
            return try planner.plan().rows.map { row in
                let parents = row.parents.map { names[$0] ?? "?" }.joined(separator: ",")
                return "\(names[row.image] ?? "?") \(row.decision.rawValue) [\(parents)] \(row.reason)"
            }
        }
    }

    @Test("a chain is built from its base up, and each image says where the older package comes from")
    func chain() throws {
        var world = World()
        try world.image("web", from: "app")
        try world.image("app", from: "base:latest")
        try world.image("base", from: "scratch")
        #expect(
            try world.plan() == [
                "base build [] installed by it", "app build [base] comes with base", "web build [app] comes with app",
            ])
    }

    @Test("of a diamond, the top waits for both sides, also if it only copies files from one")
    func diamond() throws {
        var world = World()
        try world.image("base", from: "scratch")
        try world.image("left", from: "base")
        try world.image("right", from: "base")
        try world.image("top", from: "left", others: ["right", "elsewhere"])
        let plan = try world.planner.plan()
        #expect(plan.rows.map(\.image) == [1, 2, 3, 4])
        #expect(plan.rows.map(\.parents) == [[], [1], [1], [2, 3]])
        #expect(Set(plan.rows.map(\.decision)) == [.build])
    }

    @Test("a circle is refused and named, and leaving one of its images out breaks it")
    func circle() throws {
        var world = World()
        try world.image("a", from: "c")
        try world.image("b", from: "a")
        try world.image("c", from: "b")
        try world.image("outside", from: "scratch")
        #expect(
            throws: RebuildProblem(
                "These images build on each other in a circle, so none of them can be built first: a → c → b → a. "
                    + "Change the FROM of one of them, or leave one out.")
        ) { try world.planner.plan() }
        world.planner.selection.excluding = ["c"]
        #expect(
            try world.plan() == [
                "c excluded [] left out by the request", "outside build [] installed by it",
                "a cannot-help [] cannot be fixed by rebuilding: comes with c, which the request leaves out; "
                    + "set update: true to upgrade it there",
                "b cannot-help [] cannot be fixed by rebuilding: comes with a, which cannot be fixed by rebuilding either; "
                    + "set update: true to upgrade it there",
            ])
    }

    @Test("an image whose foreign base still has the older package cannot be helped, unless it upgrades")
    func vendor() throws {
        var world = World()
        try world.foreign("vendor/ubi:9", has: [Self.old])
        try world.image("team/vendor", from: "vendor/ubi:9")
        try world.image("team/child", from: "team/vendor")
        try world.image("team/careful", from: "vendor/ubi:9", upgrades: true)
        #expect(
            try world.plan() == [
                "team/vendor cannot-help [] cannot be fixed by rebuilding: comes with r.example/vendor/ubi:9, "
                    + "whose newest (sha256:5c5c5c5c5c5c) still has it; set update: true to upgrade it there",
                "team/careful build [] upgraded by it",
                "team/child cannot-help [] cannot be fixed by rebuilding: comes with team/vendor, "
                    + "which cannot be fixed by rebuilding either; set update: true to upgrade it there",
            ])
    }

    @Test("a foreign base that lacks the package, has a newer one, or is not known, does not stop a rebuild")
    func helpfulBases() throws {
        var world = World()
        try world.foreign("without", has: [])
        try world.foreign("fixed", has: [Self.new])
        try world.foreign("unread", has: nil)
        try world.foreign("older", has: [Self.package("openssl-libs", "3.0.1", "1", epoch: 1)])
        for base in ["without", "fixed", "unread", "never-seen", "older"] { try world.image("on-\(base)", from: base) }
        try world.image("on-something")
        #expect(
            try world.plan() == [
                "on-without build [] installed by it",
                "on-fixed build [] comes with r.example/fixed:latest, which has a newer build now",
                "on-unread build [] installed by it, or comes with r.example/unread:latest, whose packages are not known",
                "on-never-seen build [] installed by it, or comes with r.example/never-seen:latest, whose packages are not known",
                "on-older build [] upgraded by it",
                "on-something build [] installed by it, or comes with its base, which is not known",
            ])
    }

    @Test("a parent that a Containerfile names by digest stays as it is")
    func byDigest() throws {
        var world = World()
        try world.image("base", from: "scratch")
        try world.image("app", from: "base@sha256:\(String(repeating: "a", count: 64))")
        try world.image("again", from: "again:previous")
        #expect(
            try world.plan().map { $0.prefix { $0 != ";" } } == [
                "base build [] installed by it",
                "again cannot-help [] cannot be fixed by rebuilding: it builds on an earlier build of itself",
                "app cannot-help [] cannot be fixed by rebuilding: comes with base, which its Containerfile names by digest",
            ])
    }

    @Test("an image with unknown contents is never called clean, and is built only if that is asked for")
    func unknown() throws {
        var world = World()
        try world.image("suse", from: "scratch", unknown: "ndb")
        try world.image("app", from: "suse")
        #expect(
            try world.plan() == [
                "suse unknown [] the packages for linux/amd64 are not known: ndb",
                "app build [] installed by it, or comes with suse, whose packages are not known",
            ])
        world.planner.selection.includesUnknown = true
        #expect(try world.planner.plan().rows.map(\.decision) == [.build, .build])
        #expect(try world.planner.plan().rows[1].parents == [1])
    }

    @Test("a platform whose contents are unknown is named beside those that are affected")
    func partlyUnknown() throws {
        var world = World()
        try world.image("base", from: "scratch")
        world.planner.affected.unknown.append(
            .init(image: 1, platform: Self.arm64, digest: try ImageDigest("sha256:" + String(repeating: "b", count: 64)), problem: nil))
        #expect(
            try world.plan() == [
                "base build [] installed by it; the packages for linux/arm64 are not known: they were not read yet"
            ])
    }

    @Test("only patterns of names choose images")
    func selection() throws {
        var world = World()
        for name in ["team/web-a", "team/web-b", "other/web-c"] { try world.image(name, from: "scratch") }
        world.planner.selection = RebuildSelection(images: ["team/web-?"], excluding: ["r.example/*-b"])
        #expect(try world.planner.plan().rows.map(\.decision) == [.build, .excluded, .excluded])
    }

    @Test("an image gets packages only from the repository of its own architecture, and a module only of its stream")
    func architectures() throws {
        let noarch = Self.package("tzdata", "2025", "1", arch: "noarch")
        let module = Self.package("nodejs", "18.0", "1", module: "nodejs:18:1:c")
        var world = World()
        world.planner.offered = OfferedPackages([
            "x86_64": [Self.package("tzdata", "2026", "1", arch: "noarch"), Self.package("nodejs", "20.0", "1", module: "nodejs:20:1:c")]
        ])
        try world.image("noarch", from: "scratch", platforms: [Self.amd64, Self.arm64], has: [noarch])
        try world.image("arm", from: "scratch", platforms: [Self.arm64], has: [noarch])
        try world.image("modular", from: "scratch", has: [module])
        let plan = try world.planner.plan()
        #expect(plan.rows.map(\.image) == [1])
        #expect(plan.rows[0].findings.map(\.platform) == [Self.amd64])
        #expect(plan.rows[0].findings[0].findings.map(\.newest) == [EVR(version: "2026", release: "1")])
    }
}

/// Returns the value of a text that a test wrote.
func certain<Value>(_ value: () throws -> Value) -> Value {
    do {
        return try value()
    } catch {
        fatalError("\(error)")
    }
}
