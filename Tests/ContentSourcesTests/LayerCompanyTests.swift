import Compression
import Foundation
import Repodata
import Synchronization
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Workers that share a cache while a repository changes")
struct LayerCompanyTests {
    private static let names = (0..<50).map { "p\($0)" }
    private static let changed = names.dropFirst() + ["new"]

    /// Two workers ask for four files each. The base is removed at one of these requests, or at none.
    @Test("two workers read one change while a third one removes the base, and both have the whole revision", arguments: 1...9)
    func three(removal: Int) async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            try await FileServer.with(bench.sources) { server in
                let location = try RepositoryLocation("\(server.address)/repo")
                try repository.write(Self.names)
                let base = try await bench.source([server.address]).pinAndFetch(location).metadata
                _ = try MetadataIndex(opening: base)
                try base.directory.appending("pool.solv").write("the packages")

                try repository.write(Array(Self.changed))
                let requests = Mutex(0)
                server.answer { _ in
                    let isNow = requests.withLock { count in
                        count += 1
                        return count == removal
                    }
                    if isNow { try? FileManager.default.removeItem(atPath: base.directory.string) }
                    return .file
                }
                async let one = bench.source([server.address]).pinAndFetch(location)
                async let two = bench.source([server.address]).pinAndFetch(location)
                let found = try await [one, two]
                #expect(found[0] == found[1])
                for pinned in found {
                    #expect(try SmallRepository.names(in: pinned, of: Self.names + ["new"]) == Array(Self.changed))
                }
                #expect(base.directory.exists == (requests.withLock(\.self) < removal))
                #expect(try bench.names(in: bench.cache).allSatisfy { !$0.hasPrefix(".") })

                // The next revision can be read, whatever is left of the base.
                try repository.write(Array(Self.changed) + ["newer"])
                let next = try await bench.source([server.address]).pinAndFetch(location)
                #expect(try SmallRepository.names(in: next, of: Self.names + ["new", "newer"]) == Array(Self.changed) + ["newer"])
            }
        }
    }

    @Test("without a server between them, ten rounds of the three leave nothing that is not whole")
    func rounds() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            var names = Self.names
            try repository.write(names)
            var base = try await repository.fetch(bench.source()).metadata
            for round in 0..<10 {
                names[round] = "changed\(round)"
                try repository.write(names)
                let directory = base.directory
                async let one = bench.source().pinAndFetch(repository.location)
                async let two = bench.source().pinAndFetch(repository.location)
                async let third: Void? = {
                    for _ in 0..<round * 3 { await Task.yield() }
                    return try? FileManager.default.removeItem(atPath: directory.string)
                }()
                for pinned in try await [one, two] {
                    #expect(try SmallRepository.names(in: pinned, of: names) == names, "round \(round)")
                }
                _ = await third
                // A base for the next round.
                try repository.write(names.map { $0 + "-\(round)" })
                base = try await repository.fetch(bench.source()).metadata
                #expect(base.base == nil)
                names = names.map { $0 + "-\(round)" }
            }
        }
    }
}
