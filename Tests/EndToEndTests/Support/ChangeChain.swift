import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// A chain of random changes of three repositories, with a compose by two services after each step.
///
/// The first service follows the chain. The second one has an empty cache at each step.
struct ChangeChain: Sendable {
    enum Part: CaseIterable {
        /// Revisions in the order of the changes.
        case changes
        /// The last revisions backwards, and revisions in random order.
        case history
    }

    private let seed: Int
    private let changes: Int
    private var dice: Dice
    /// Two sources and a lookaside.
    private var repositories: [ChangingRepository] = []
    /// The documents of all repositories at each step.
    private var history: [[ChangingRepository.Documents]] = []
    /// The documents that the repositories have now, and the names of these revisions.
    private var shown: [ChangingRepository.Documents] = []
    private var ids: [String] = []
    private var steps = 0
    private var composes = 0
    private var failed = 0
    private(set) var layers = 0
    private(set) var differences: [String] = []

    init(seed: Int, changes: Int, in directory: FilePath) throws {
        self.seed = seed
        self.changes = changes
        dice = Dice(seed: seed)
        for (name, count) in [("one", 110), ("two", 60), ("lookaside", 50)] {
            repositories.append(try ChangingRepository(directory.appending(name), count: count, &dice))
        }
    }

    var summary: String {
        "ODCS_TEST_SEED=\(seed): \(changes) changes, \(steps) steps with \(composes) composes of which \(failed) failed, "
            + "\(layers) revisions kept as layers, \(differences.count) differences"
    }

    mutating func run(_ part: Part, _ services: [(TestService, ServerProcess)]) async throws {
        switch part {
        case .changes:
            var current = repositories.map(\.documents)
            try await step([], current, services)
            var made = 0
            while made < changes, differences.isEmpty {
                var done: [String] = []
                var changed: Set<Int> = []
                for _ in 0..<min(1 + dice.roll(4), changes - made) {
                    // The first repository changes most.
                    let number = dice.pick([0, 0, 0, 1, 2])
                    done.append("\(number): \(try repositories[number].change(&dice))")
                    changed.insert(number)
                    made += 1
                }
                for number in changed { current[number] = repositories[number].documents }
                var documents = current
                history.append(documents)
                if dice.roll(5) == 0 {
                    let fault = dice.pick(ChangingRepository.Documents.faults)
                    let number = dice.pick([0, 0, 1, 2])
                    fault.make(&documents[number], &dice)
                    done.append("\(number): \(fault.name)")
                }
                try await step(done, documents, services)
            }
        case .history:
            let backwards = history.indices.suffix(changes / 8).reversed()
            let random = (0..<changes / 8).map { _ in dice.roll(history.count) }
            for number in Array(backwards) + random where differences.isEmpty {
                try await step(["step \(number) again"], history[number], services)
            }
        }
    }

    /// Shows a revision of all repositories, and compares what both services make of it.
    private mutating func step(
        _ done: [String], _ documents: [ChangingRepository.Documents], _ services: [(TestService, ServerProcess)]
    ) async throws {
        steps += 1
        if shown.isEmpty { (shown, ids) = (documents, try zip(repositories, documents).map { try $0.write($1) }) }
        for number in repositories.indices where shown[number] != documents[number] {
            shown[number] = documents[number]
            ids[number] = try repositories[number].write(documents[number])
        }
        let caches = services.map { $0.0.directory.appending("cache") }
        try Self.empty(caches[1])
        if dice.roll(12) == 0 { try removeOne(in: caches[0]) }
        for _ in 0..<1 + dice.roll(2) {
            let request = request()
            composes += 1
            async let first = Self.compose(request, services[0])
            async let second = Self.compose(request, services[1])
            let (found, expected) = try await (first, second)
            if expected["state"] != Data("done".utf8) { failed += 1 }
            let places = Set(found.keys).union(expected.keys).filter { found[$0] != expected[$0] }.sorted()
            guard let place = places.first else { continue }
            let texts = [found, expected].map { $0[place].map { String(decoding: $0.prefix(3000), as: UTF8.self) } ?? "nothing" }
            differences.append(place)
            Issue.record(
                "\(summary)\n\(done.joined(separator: ", "))\n\(request)\nThese differ: \(places)\n\(texts[0])\n--- expected:\n\(texts[1])")
        }
        layers += ids.count { FileManager.default.fileExists(atPath: caches[0].appending("\($0)-3/base").string) }
    }

    private mutating func request() -> String {
        let places = repositories.map(\.directory.string)
        let names = repositories[0].packages.map(\.name)
        var packages = (0..<dice.roll(5)).map { _ in dice.pick(names) }
        if dice.roll(12) == 0 { packages.append(dice.pick(["nothing", "p1*", "twin"])) }
        let flags = ["no_reuse"] + dice.pick([[], [], ["no_deps"], ["check_deps"]])
        let sources = dice.roll(2) == 0 ? places[0] : "\(places[0]) \(places[1])"
        let lookaside = dice.roll(2) == 0 ? ", \"lookaside_repos\": [\"\(places[2])\"]" : ""
        let modules = dice.roll(6) == 0 ? ", \"modules\": [\"m:\(dice.roll(2) + 1)\"]" : ""
        func list(_ words: [String]) -> String { "[\(words.map { "\"\($0)\"" }.joined(separator: ", "))]" }
        return "{\"source\": {\"type\": \"repo\", \"source\": \"\(sources)\", \"packages\": \(list(packages))\(modules)}, "
            + "\"flags\": \(list(flags))\(lookaside)}"
    }

    /// Removes a revision from a cache, or what it knows of the latest revisions.
    private mutating func removeOne(in cache: FilePath) throws {
        let names = try Self.names(in: cache)
        if !names.isEmpty { try FileManager.default.removeItem(atPath: cache.appending(dice.pick(names)).string) }
    }

    private static func empty(_ cache: FilePath) throws {
        for name in try names(in: cache) { try FileManager.default.removeItem(atPath: cache.appending(name).string) }
    }

    /// Returns what is in a cache. The first revision makes the cache.
    private static func names(in cache: FilePath) throws -> [String] {
        guard FileManager.default.fileExists(atPath: cache.string) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: cache.string).sorted()
    }

    // MARK: Composes

    /// Returns everything that a service says and writes of a compose, without what differs between all services.
    private static func compose(_ request: String, _ service: (TestService, ServerProcess)) async throws -> [String: Data] {
        let compose = try await service.1.compose(json: request, service.0)
        let document = compose.document
        var found = ["state": Data(compose.state.utf8), "reason": Data((document.stateReason ?? "").utf8)]
        found["failure"] = document.failure.map { Data("\($0)".utf8) }
        let date = document.timeSubmitted.prefix(10).replacing("-", with: "")
        for file in try compose.files() {
            let data = try compose.data(file)
            guard !file.contains("/repodata/") else {
                found[file] = data
                continue
            }
            var text = String(decoding: data, as: UTF8.self).replacing(service.1.url, with: "http://service").replacing(date, with: "DATE")
            if file.hasSuffix(".log") {
                // Lines begin with a time. The first line names the worker.
                text = text.split(separator: "\n").map { $0.dropFirst(20).replacing(/^(.*Attempt 1 at compose \d+) by .*/) { $0.output.1 } }
                    .joined(separator: "\n")
            }
            found[file] = Data(text.utf8)
        }
        try await service.1.remove(document.id)
        return found
    }
}

extension ServerProcess {
    /// Ends the life of a compose, so that its files need no room.
    fileprivate func remove(_ id: Int) async throws { _ = try await http(.DELETE, "/api/1/composes/\(id)") }
}
