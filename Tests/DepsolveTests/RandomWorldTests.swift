import Depsolve
import Foundation
import Repodata
import Testing

@Suite("Worlds made at random", .enabled("the system's Python has dnf") { await Dnf.isAvailable })
struct RandomWorldTests {
    /// One world and what dnf is asked about it: each requested package from the source, then each from the result.
    private struct Case {
        let seed: Int
        let resolution: Resolution
        let requested: [NEVRA]
        let questions: [Dnf.Question]
    }

    @Test("what dnf can install from the source, it can install from the result; what it cannot is reported")
    func dnfAgrees() async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var cases: [Case] = []
            for seed in Self.seeds {
                cases.append(try await makeCase(seed, depsolver, below: directory.appending(path: "\(seed)")))
            }
            let answers = try await Dnf.ask(cases.flatMap(\.questions), below: directory)
            var next = 0
            for item in cases {
                let count = item.requested.count
                let fromSource = answers[next..<next + count]
                let fromResult = answers[next + count..<next + 2 * count]
                next += 2 * count
                for (package, (source, result)) in zip(item.requested, zip(fromSource, fromResult)) {
                    #expect((source == nil) == (result == nil), "\(package) of world \(item.seed)")
                }
                let isReported = !item.resolution.missing.isEmpty || !item.resolution.problems.isEmpty
                #expect(fromSource.contains(nil) == isReported, "world \(item.seed)")
            }
        }
    }

    @Test("checked, everything is found installable exactly if dnf can install each package")
    func everything() async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var cases: [(seed: Int, isReported: Bool, questions: [Dnf.Question])] = []
            for seed in Self.smallSeeds {
                var random = Dice(seed: seed)
                // Few names, so that some worlds are sound.
                random.names = 3
                let packages = try WorldPackage.parse(random.world(count: 5))
                let source = directory.appending(path: "\(seed)")
                let metadata = try WorldRepository(packages: packages, name: "source").write(to: source.appending(path: "repodata"))
                let resolution = try await depsolver.resolve(
                    DepsolveRequest(repositories: [metadata], arches: ["x86_64"], checkInstallability: true))
                #expect(resolution.trees[0].binaries.count == packages.count)
                cases.append(
                    (
                        seed, !resolution.missing.isEmpty || !resolution.problems.isEmpty,
                        packages.map { Dnf.Question(repositories: [source.path], packages: ["\($0.nevra)"]) }
                    ))
            }
            var answers = try await Dnf.ask(cases.flatMap(\.questions), below: directory)[...]
            for (seed, isReported, questions) in cases {
                #expect(answers.prefix(questions.count).contains(nil) == isReported, "world \(seed)")
                answers = answers.dropFirst(questions.count)
            }
            #expect(cases.contains { $0.isReported } && cases.contains { !$0.isReported })
        }
    }

    @Test("what is taken for one package is what dnf installs for it, weak dependencies that decide a choice included")
    func sameChoice() async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var cases: [(seed: Int, taken: Set<String>, question: Dnf.Question)] = []
            for seed in Self.choiceSeeds {
                var random = Dice(seed: seed)
                random.hasWeakDependencies = true
                let packages = try WorldPackage.parse(random.world(count: 30))
                let source = directory.appending(path: "\(seed)")
                let metadata = try WorldRepository(packages: packages, name: "source").write(to: source.appending(path: "repodata"))
                let requested = packages[random.roll(packages.count)].nevra
                let resolution = try await depsolver.resolve(
                    DepsolveRequest(repositories: [metadata], packages: ["\(requested)"], arches: ["x86_64"]))
                guard resolution.missing.isEmpty, resolution.problems.isEmpty else { continue }
                let taken = Set(resolution.trees[0].binaries.map { "\($0.record.nevra)" })
                cases.append((seed, taken, Dnf.Question(repositories: [source.path], packages: ["\(requested)"])))
            }
            let answers = try await Dnf.ask(cases.map(\.question), below: directory)
            for (item, answer) in zip(cases, answers) { #expect(answer.map(Set.init) == item.taken, "world \(item.seed)") }
            #expect(cases.filter { $0.taken.count > 2 }.count > 10)
        }
    }

    private static let choiceSeeds = 1...120
    private static let smallSeeds = 1...30
    private static let seeds = 1...25

    private func makeCase(_ seed: Int, _ depsolver: Depsolver, below directory: URL) async throws -> Case {
        var random = Dice(seed: seed)
        let packages = try WorldPackage.parse(random.world())
        let source = directory.appending(path: "source")
        let lookaside = directory.appending(path: "lookaside")
        let result = directory.appending(path: "result")
        let request = DepsolveRequest(
            repositories: [try WorldRepository(packages: packages, name: "source").write(to: source.appending(path: "repodata"))],
            lookaside: [
                try WorldRepository(packages: WorldPackage.parse(random.world(count: 4, release: 0)), name: "lookaside")
                    .write(to: lookaside.appending(path: "repodata"))
            ],
            packages: Array(Set(packages.map(\.name)).sorted().prefix(4)),
            arches: ["x86_64"])
        let resolution = try await depsolver.resolve(request)
        let resolved = resolution.trees[0].binaries
        let names = Set(resolved.map { "\($0.record.nevra)" })
        _ = try WorldRepository(packages: packages.filter { names.contains("\($0.nevra)") }, name: "result")
            .write(to: result.appending(path: "repodata"))
        let requested = resolved.filter { if case .requested = $0.reason { true } else { false } }.map(\.record.nevra)
        return Case(
            seed: seed, resolution: resolution, requested: requested,
            questions: [source, result].flatMap { repository in
                requested.map { Dnf.Question(repositories: [repository.path, lookaside.path], packages: ["\($0)"]) }
            })
    }
}

/// Throws the same numbers for the same seed, and makes packages of them.
struct Dice {
    private var state: UInt64
    /// How many names packages may have.
    var names = 11
    /// Whether packages recommend, suggest, supplement or enhance something.
    var hasWeakDependencies = false

    init(seed: Int) {
        state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % sides
    }

    mutating func pick(_ choices: [String]) -> String { choices[roll(choices.count)] }

    mutating func world(count: Int = 22, release: Int = 1) -> String {
        var packages: [String: String] = [:]
        for _ in 0..<count {
            let head = "p\(roll(names)) \(roll(3) + 1)-\(release) x86_64"
            var lines: [String] = []
            for _ in 0..<roll(3) { lines.append("requires \(dependency(depth: 2))") }
            for _ in 0..<roll(2) { lines.append("provides \(capability())\(pick(["", " = 1", " = 2", " = 3"]))") }
            if roll(5) == 0 { lines.append("conflicts \(roll(3) == 0 ? dependency(depth: 2) : simple())") }
            if roll(8) == 0 { lines.append("obsoletes p\(roll(names))\(pick(["", " < 2", " < 3"]))") }
            if hasWeakDependencies {
                let kinds = ["recommends", "suggests", "supplements", "enhances"]
                for _ in 0..<roll(8) { lines.append("\(pick(kinds)) \(roll(4) == 0 ? dependency(depth: 1) : "p\(roll(names))")") }
            }
            packages[head] = lines.map { "    \($0)\n" }.joined()
        }
        return packages.sorted { $0.key < $1.key }.map { "\($0.key)\n\($0.value)" }.joined()
    }

    /// `c0` to `c3` are provided by some, `c4` by hardly anyone.
    private mutating func capability() -> String { "c\(min(roll(24) / 5, 4))" }

    private mutating func simple() -> String {
        (roll(2) == 0 ? "p\(roll(names))" : capability()) + pick(["", "", "", " = 1", " >= 2", " < 3", " > 1"])
    }

    private mutating func dependency(depth: Int) -> String {
        guard depth > 0, roll(4) == 0 else { return simple() }
        let (a, b) = (dependency(depth: depth - 1), dependency(depth: depth - 1))
        switch roll(6) {
        case 0: return "(\(a) or \(b))"
        case 1: return "(\(a) and \(b))"
        case 2: return "(\(a) if \(b))"
        case 3: return "(\(a) if \(b) else \(dependency(depth: depth - 1)))"
        case 4: return "(\(a) unless \(b))"
        default: return "(\(simple()) with \(simple()))"
        }
    }
}
