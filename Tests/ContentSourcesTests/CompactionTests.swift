import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Layers that are written as whole metadata")
struct CompactionTests {
    private static let names = (0..<50).map { "p\($0)" }

    private static func changed(_ count: Int) -> [String] { (0..<count).map { "new\($0)" } + names.dropFirst(count) }

    /// Writes the file that a compose makes from whole metadata.
    private static func complete(_ metadata: RepositoryMetadata) {
        try? metadata.directory.appending("pool.solv").write("the packages")
    }

    /// Reads a base and then a layer over it with `count` changed packages.
    private func with(changed count: Int, _ body: (Workbench, SmallRepository, RepositorySource, RepositoryMetadata) async throws -> Void)
        async throws
    {
        try await Workbench.with { bench in
            let source = try bench.source()
            let repository = try SmallRepository(bench)
            try repository.write(Self.names)
            _ = try await repository.fetch(source)
            try repository.write(Self.changed(count))
            let layer = try await repository.fetch(source).metadata
            #expect(layer.base != nil)
            try await body(bench, repository, source, layer)
        }
    }

    @Test("a layer with many differences gets the documents of the repository, and is the base of the next revision")
    func compaction() async throws {
        try await with(changed: 4) { bench, repository, source, layer in
            #expect(try await source.compact(layer, complete: Self.complete))
            #expect(
                try bench.names(in: layer.directory) == [
                    "filelists.xml", "other.xml", "packages.index", "pool.solv", "primary.xml", "repomd.xml",
                ])
            for name in ["primary.xml", "filelists.xml", "other.xml", "repomd.xml"] {
                #expect(try layer.directory.appending(name).contents() == repository.directory.appending("repodata/\(name)").contents())
            }
            let whole = try await bench.source().pinAndFetch(repository.location)
            #expect(whole.metadata.id == layer.id)
            #expect(whole.metadata.base == nil)
            #expect(try SmallRepository.names(in: whole, of: Self.changed(4)) == Self.changed(4))

            try repository.write(Self.changed(4) + ["newer"])
            #expect(try await repository.fetch(source).metadata.base == layer.id)
            #expect(try bench.keptMetadata().allSatisfy { !$0.hasPrefix(".") })
        }
    }

    @Test("a layer with few differences stays")
    func fewDifferences() async throws {
        try await with(changed: 1) { bench, _, source, layer in
            let names = try bench.names(in: layer.directory)
            #expect(try await !source.compact(layer, complete: Self.complete))
            #expect(try bench.names(in: layer.directory) == names)
        }
    }

    @Test("a layer that a compose uses stays, and one that is gone is not made again")
    func inUse() async throws {
        try await with(changed: 4) { bench, repository, source, layer in
            let names = try bench.names(in: layer.directory)
            let kept = try bench.keptMetadata()
            let user = try await source.pinAndFetch(repository.location)
            #expect(try await !source.compact(layer, complete: Self.complete))
            #expect(try bench.names(in: layer.directory) == names)
            #expect(try SmallRepository.names(in: user, of: Self.changed(4)) == Self.changed(4))
            #expect(try bench.keptMetadata() == kept)

            try FileManager.default.removeItem(atPath: layer.directory.string)
            #expect(try await !source.compact(layer, complete: Self.complete))
            #expect(!layer.directory.exists)
        }
    }

    @Test("one process of the host compacts at a time")
    func oneAtATime() async throws {
        try await with(changed: 4) { bench, _, source, layer in
            let other = open(bench.cache.appending("latest").string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
            let whileLocked = try await source.compact(layer, complete: Self.complete)
            #expect(!whileLocked)
            close(other)
            let afterwards = try await source.compact(layer, complete: Self.complete)
            #expect(afterwards)
        }
    }

    @Test("a damaged layer stays a layer, and is noticed as before")
    func damaged() async throws {
        try await with(changed: 4) { bench, repository, source, layer in
            let changes = layer.directory.appending("other.changes")
            try changes.write(changes.contents().dropLast(1).map { $0 })
            #expect(try await !source.compact(layer, complete: Self.complete))
            let again = try await source.pinAndFetch(repository.location)
            #expect(try SmallRepository.names(in: again, of: Self.changed(4)) == Self.changed(4))
        }
    }

    @Test("a reader goes on if a process that is stopped has locked the directory for itself")
    func stoppedProcess() async throws {
        try await with(changed: 4) { bench, repository, _, layer in
            let other = open(layer.directory.string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            defer { close(other) }
            #expect(flock(other, LOCK_EX | LOCK_NB) == 0)
            let found = try await bench.source().pinAndFetch(repository.location)
            #expect(try SmallRepository.names(in: found, of: Self.changed(4)) == Self.changed(4))
        }
    }
}
