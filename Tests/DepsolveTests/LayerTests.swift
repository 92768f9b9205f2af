import Compression
import Depsolve
import Foundation
import Repodata
import Testing

@Suite("Repositories that are kept as layers")
struct LayerTests {
    /// The resolution, or the text of the error.
    private func answer(_ depsolver: Depsolver, _ request: DepsolveRequest) async -> Result<Resolution, DepsolveError> {
        do throws(DepsolveError) {
            return .success(try await depsolver.resolve(request))
        } catch {
            return .failure(error)
        }
    }

    @Test("each world has the answer of the whole repository", arguments: World.all)
    func worlds(_ world: World) async throws {
        try await withTemporaryDirectory { directory in
            let request = try world.request(below: directory)
            let expected = await answer(Depsolver(), request)
            for number in 0..<4 {
                var (layered, older) = (request, request)
                func revisions(_ metadata: RepositoryMetadata, _ name: String) throws -> (
                    older: RepositoryMetadata, layer: RepositoryMetadata
                ) {
                    try LayeredMetadata.make(metadata, below: directory.appending(path: "\(number)-\(name)"), lacking: number)
                        ?? (metadata, metadata)
                }
                let repositories = try request.repositories.enumerated().map { try revisions($1, "repository-\($0)") }
                (layered.repositories, older.repositories) = (repositories.map(\.layer), repositories.map(\.older))
                // Layers and whole repositories can be used together.
                if number < 2 {
                    let lookaside = try request.lookaside.enumerated().map { try revisions($1, "lookaside-\($0)") }
                    (layered.lookaside, older.lookaside) = (lookaside.map(\.layer), lookaside.map(\.older))
                }
                let recorder = Recorder()
                let found = await answer(Depsolver(logger: recorder.logger), layered)
                #expect(found == expected, "\(world.testDescription), \(number)")
                // A worker follows the change, goes back and follows it again.
                let follower = Depsolver(logger: recorder.logger)
                let before = await answer(Depsolver(), older)
                for round in 0..<2 {
                    #expect(await answer(follower, older) == before, "\(world.testDescription), \(number), before round \(round)")
                    #expect(await answer(follower, layered) == expected, "\(world.testDescription), \(number), round \(round)")
                }
                #expect(recorder.count("layers not used") == 0)
                if case .success = expected, case .success = before, layered.repositories != older.repositories {
                    #expect(recorder.count("pool followed") >= 3, "\(world.testDescription), \(number)")
                }
            }
        }
    }

    @Test("a worker that follows a chain of random changes answers like a fresh one", arguments: 1...8)
    func chain(_ seed: Int) async throws {
        try await withTemporaryDirectory { directory in
            var random = Dice(seed: seed)
            random.names = 40
            random.hasWeakDependencies = seed.isMultiple(of: 2)
            let recorder = Recorder()
            let follower = Depsolver(logger: recorder.logger)
            let lookaside = try WorldRepository(packages: WorldPackage.parse(random.world(count: 6, release: 0)), name: "lookaside")
                .write(to: directory.appending(path: "lookaside"))
            var packages = try WorldPackage.parse(random.world(count: 110))
            var base: RepositoryMetadata?
            var revisions: [(whole: RepositoryMetadata, kept: RepositoryMetadata)] = []
            var layers = 0
            for revision in 0..<25 {
                for _ in 0..<random.roll(4) { try random.change(&packages, revision) }
                let place = directory.appending(path: "\(revision)")
                let whole = try WorldRepository(packages: packages, name: "source").write(to: place)
                let kept = try LayeredMetadata.make(whole, over: base, at: directory.appending(path: "\(revision)-kept"))
                if kept.base == nil { base = kept } else { layers += 1 }
                revisions.append((whole, kept))
                for _ in 0..<4 {
                    // An attempt that is repeated needs an older revision.
                    let used = random.roll(4) == 0 ? revisions[random.roll(revisions.count)] : (whole: whole, kept: kept)
                    var request = DepsolveRequest(repositories: [used.whole], lookaside: [lookaside], arches: ["x86_64"])
                    switch random.roll(4) {
                    case 0:
                        request.packages = []
                        request.checkInstallability = random.roll(2) == 0
                    default:
                        request.packages = (0..<1 + random.roll(6)).map { _ in packages[random.roll(packages.count)].name }
                        request.checkInstallability = random.roll(4) == 0
                    }
                    let expected = await answer(Depsolver(), request)
                    request.repositories = [used.kept]
                    #expect(await answer(follower, request) == expected, "seed \(seed), revision \(revision), \(request.packages)")
                }
            }
            #expect(layers > 10)
            #expect(recorder.count("layers not used") == 0)
            #expect(recorder.count("pool followed") > 10)
        }
    }

    private static let spoilers: [(String, @Sendable (String) -> String)] = [
        ("a new package without a name", { $0.replacing("<name>p1</name>", with: "<name></name>", maxReplacements: 1) }),
        ("an unknown entity", { $0.replacing("<name>p1</name>", with: "<name>&p;</name>", maxReplacements: 1) }),
        ("a name that no file can have", { $0.replacing("<name>p1</name>", with: "<name>p/1</name>", maxReplacements: 1) }),
        (
            "a dependency that is too long",
            {
                $0.replacing(
                    "<format>", with: "<format><rpm:requires><rpm:entry name=\"\(String(repeating: "x", count: 20_000))\"/></rpm:requires>",
                    maxReplacements: 1)
            }
        ),
        (
            "a dependency that explodes",
            {
                let part = (1...12).map { "((a\($0) and b\($0)) or (c\($0) and d\($0)))" }.joined(separator: " or ")
                let entry = "<rpm:requires><rpm:entry name=\"(\(part))\"/></rpm:requires>"
                return $0.replacing("<format>", with: "<format>\(entry)", maxReplacements: 1)
            }
        ),
        ("a package that is no XML", { $0.replacing("<summary>p1</summary>", with: "<summary>p1</sumary>", maxReplacements: 1) }),
    ]

    @Test("a fault has the same text and the same consequences", arguments: spoilers.indices)
    func faults(_ number: Int) async throws {
        try await withTemporaryDirectory { directory in
            var random = Dice(seed: 5)
            let packages = try WorldPackage.parse(random.world(count: 40))
            let older = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "older"))
            let base = try LayeredMetadata.make(older, over: nil, at: directory.appending(path: "base"))
            let written = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "whole"))
            // It is another revision.
            let whole = RepositoryMetadata(
                id: Checksum(.sha256, hex: String(repeating: "c", count: 64)), directory: written.directory,
                hasFilelists: written.hasFilelists, hasOther: written.hasOther)
            let file = directory.appending(path: "whole/primary.xml")
            let text = try String(contentsOf: file, encoding: .utf8)
            let spoiled = Self.spoilers[number].1(text)
            #expect(spoiled != text)
            try Data(spoiled.utf8).write(to: file)
            let layer = try LayeredMetadata.make(whole, over: base, at: directory.appending(path: "layer"))
            #expect(layer.base != nil, "\(Self.spoilers[number].0)")
            var request = DepsolveRequest(repositories: [whole], packages: ["p1", "p2"], arches: ["x86_64"])
            let expected = await answer(Depsolver(), request)
            request.repositories = [layer]
            #expect(await answer(Depsolver(), request) == expected, "\(Self.spoilers[number].0)")
            // A worker that has the base meets the fault too, and can go back.
            let follower = Depsolver()
            request.repositories = [older]
            let before = await answer(Depsolver(), request)
            request.repositories = [base]
            #expect(await answer(follower, request) == before)
            request.repositories = [layer]
            #expect(await answer(follower, request) == expected, "\(Self.spoilers[number].0)")
            request.repositories = [base]
            #expect(await answer(follower, request) == before)
        }
    }
}
