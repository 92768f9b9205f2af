import ComposeModel
import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Metadata that is kept as a layer")
struct LayerTests {
    private static let names = (0..<50).map { "p\($0)" }

    @Test("a revision with few changes is one, and has its packages also after a restart and without its base")
    func layer() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            try repository.write(Self.names)
            let whole = try await repository.fetch(bench.source())
            #expect(whole.metadata.base == nil)
            let changed = ["new"] + Self.names.dropFirst(2)
            try repository.write(changed)
            let layer = try await repository.fetch(bench.source())
            #expect(layer.metadata.base == whole.metadata.id)
            let place = layer.metadata.directory
            #expect(
                try bench.names(in: place) == [
                    "base", "filelists.changes", "filelists.xml", "other.changes", "other.xml", "packages.index", "pool.solv",
                    "primary.changes", "primary.xml", "repomd.xml",
                ])
            #expect(try place.appending("primary.xml").inode == whole.metadata.primary.inode)
            #expect(try place.appending("primary.changes").stat().size < 2000)
            #expect(try SmallRepository.names(in: layer, of: ["new"] + Self.names) == changed)

            try FileManager.default.removeItem(atPath: whole.metadata.directory.string)
            let again = try await bench.source().pinAndFetch(repository.location)
            #expect(again == layer)
            #expect(try SmallRepository.names(in: again, of: ["new"] + Self.names) == changed)
            // The next revision has no base any more.
            try repository.write(changed + ["newer"])
            let next = try await repository.fetch(bench.source())
            #expect(next.metadata.base == nil)
            #expect(try SmallRepository.names(in: next, of: ["new", "newer"] + Self.names) == ["new", "newer"] + Self.names.dropFirst(2))
        }
    }

    @Test("a layer is never the base of another one, and many changes make a new base")
    func bases() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            let first = try await repository.fetch(source)
            var names = Self.names
            for number in 0..<3 {
                names[number * 2] = "changed\(number)"
                try repository.write(names)
                #expect(try await repository.fetch(source).metadata.base == first.metadata.id)
            }
            for number in 10..<30 { names[number] = "changed\(number)" }
            try repository.write(names)
            let second = try await repository.fetch(source)
            #expect(second.metadata.base == nil)
            try repository.write(names.reversed())
            #expect(try await repository.fetch(source).metadata.base == second.metadata.id)
        }
    }

    @Test("without the files that a compose makes, or switched off, a revision is read as a whole")
    func noBase() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            try repository.write(Self.names)
            let first = try await bench.source().pinAndFetch(repository.location)
            try repository.write(Self.names + ["new"])
            #expect(try await bench.source().pinAndFetch(repository.location).metadata.base == nil)

            _ = try MetadataIndex(opening: first.metadata)
            try first.metadata.directory.appending("pool.solv").write("the packages")
            var limits = Workbench.limits
            limits.keepsLayers = false
            try repository.write(Self.names + ["newer"])
            #expect(try await bench.source(limits: limits).pinAndFetch(repository.location).metadata.base == nil)
        }
    }

    @Test("a damaged layer is read again")
    func damaged() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            _ = try await repository.fetch(source)
            try repository.write(Self.names + ["new"])
            for name in ["primary.changes", "filelists.changes", "base"] {
                let layer = try await repository.fetch(source)
                let file = layer.metadata.directory.appending(name)
                try file.write(file.contents().dropLast(1).map { $0 })
                let again = try await source.pinAndFetch(repository.location)
                #expect(try SmallRepository.names(in: again, of: Self.names + ["new"]) == Self.names + ["new"])
            }
        }
    }

    @Test("a faulty revision is refused like any other, and nothing of it stays")
    func refused() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            _ = try await repository.fetch(source)
            let kept = try bench.keptMetadata()
            try repository.write(Self.names + ["new"])
            try repository.directory.appending("repodata/other.xml").write("<!DOCTYPE a><otherdata/>")
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(repository.location) }
            #expect(failure?.code == .metadataCorrupt)
            #expect(try bench.keptMetadata() == kept)
        }
    }

    @Test("of many revisions, the base and the latest four are kept, and all that are in use")
    func bounds() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            let base = try await repository.fetch(source)
            var ids: [Checksum] = []
            var inUse: PinnedRepository?
            for number in 0..<8 {
                try repository.write(Self.names + ["new\(number)"])
                let layer = try await repository.fetch(source)
                #expect(layer.metadata.base == base.metadata.id)
                ids.append(layer.metadata.id)
                if number == 1 { inUse = layer }
            }
            func names(_ ids: [Checksum]) -> [String] { ids.map { "\($0.hex)-3" }.sorted() }
            #expect(try bench.keptMetadata() == names([base.metadata.id, ids[1]] + ids.suffix(4)))
            #expect(inUse?.metadata.id == ids[1])

            // The old base is then not among the latest four, but in use.
            for number in 0..<5 {
                try repository.write((0..<60).map { "other\($0)" } + ["last\(number)"])
                ids.append(try await repository.fetch(source).metadata.id)
            }
            let kept = try bench.keptMetadata()
            #expect(kept == names([base.metadata.id, ids[1]] + ids.suffix(5)))
            withExtendedLifetime((base, inUse)) {}
            // A revision that was removed can be read again.
            try repository.write(Self.names)
            #expect(try await SmallRepository.names(in: repository.fetch(source), of: Self.names) == Self.names)
        }
    }

    @Test("shared files count once for the size of the cache")
    func size() async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            let names = (0..<3000).map { "package-\($0)" }
            try repository.write(names)
            var source = try bench.source()
            let whole = try await repository.fetch(source)
            var size = 0
            for name in try bench.names(in: whole.metadata.directory) {
                size += Int(try whole.metadata.directory.appending(name).stat().rawValue.st_blocks) * 512
            }
            // There is room for one and a half whole revisions.
            var limits = Workbench.limits
            limits.cacheBytes = size * 3 / 2
            source = try bench.source(limits: limits)
            for number in 1...4 {
                try repository.write(names + (0..<number).map { "new-\($0)" })
                #expect(try await repository.fetch(source).metadata.base == whole.metadata.id)
            }
            #expect(try bench.keptMetadata().count == 5)
        }
    }
}
