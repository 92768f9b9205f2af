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
    /// A repository of small packages, whose documents are written here.
    private struct Repository {
        let directory: FilePath

        var location: RepositoryLocation { .directory(directory) }

        /// Writes a revision with the packages `names`.
        func write(_ names: [String], count: Int? = nil) throws {
            var records = ""
            if !directory.appending("repodata").exists { try directory.appending("repodata").createDirectory() }
            for document in MetadataDocument.allCases {
                let text = Self.document(document, names, count: count ?? names.count)
                let place = "repodata/\(document.rawValue).xml"
                try directory.appending(place).write(text)
                records += "<data type=\"\(document.rawValue)\"><checksum type=\"sha256\">\(Checksum.ofText(text).hex)</checksum>"
                records += "<location href=\"\(place)\"/></data>"
            }
            try directory.appending("repodata/repomd.xml")
                .write("<?xml version=\"1.0\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">\(records)</repomd>\n")
        }

        static func pkgid(_ name: String) -> Checksum { Checksum.ofText(name) }

        private static func document(_ document: MetadataDocument, _ names: [String], count: Int) -> String {
            let root = ["primary": "metadata", "filelists": "filelists", "other": "otherdata"][document.rawValue]!
            let elements = names.map { name in
                document == .primary
                    ? "<package type=\"rpm\"><name>\(name)</name><checksum type=\"sha256\" pkgid=\"YES\">\(pkgid(name).hex)</checksum></package>\n"
                    : "<package pkgid=\"\(pkgid(name).hex)\" name=\"\(name)\"></package>\n"
            }
            return "<?xml version=\"1.0\"?>\n<\(root) packages=\"\(count)\">\n\(elements.joined())</\(root)>\n"
        }
    }

    private static let names = (0..<50).map { "p\($0)" }

    /// Fetches the current revision and makes the files that a compose makes beside it.
    private func fetch(_ repository: Repository, _ source: RepositorySource) async throws -> PinnedRepository {
        let pinned = try await source.pinAndFetch(repository.location)
        _ = try MetadataIndex(opening: pinned.metadata)
        let pool = pinned.metadata.directory.appending("pool.solv")
        if !pool.exists { try pool.write("the packages") }
        return pinned
    }

    private func names(in pinned: PinnedRepository, of candidates: [String]) throws -> [String] {
        let index = try MetadataIndex(opening: pinned.metadata)
        return try candidates.filter { name in
            guard index.contains(Repository.pkgid(name)) else { return false }
            let chunks = try index.chunks(of: Repository.pkgid(name))
            #expect(String(decoding: chunks.primary, as: UTF8.self).contains("<name>\(name)</name>"))
            #expect(chunks.filelists != nil && chunks.other != nil)
            return true
        }
    }

    private func repository(_ bench: Workbench) throws -> Repository {
        try bench.sources.appending("repo").createDirectory()
        return Repository(directory: bench.sources.appending("repo"))
    }

    @Test("a revision with few changes is one, and has its packages also after a restart and without its base")
    func layer() async throws {
        try await Workbench.with { bench in
            let repository = try repository(bench)
            try repository.write(Self.names)
            let whole = try await fetch(repository, bench.source())
            #expect(whole.metadata.base == nil)
            let changed = ["new"] + Self.names.dropFirst(2)
            try repository.write(changed)
            let layer = try await fetch(repository, bench.source())
            #expect(layer.metadata.base == whole.metadata.id)
            let place = layer.metadata.directory
            #expect(
                try bench.names(in: place) == [
                    "base", "filelists.changes", "filelists.xml", "other.changes", "other.xml", "packages.index", "pool.solv",
                    "primary.changes", "primary.xml", "repomd.xml",
                ])
            #expect(try place.appending("primary.xml").inode == whole.metadata.primary.inode)
            #expect(try place.appending("primary.changes").stat().size < 2000)
            #expect(try names(in: layer, of: ["new"] + Self.names) == changed)

            try FileManager.default.removeItem(atPath: whole.metadata.directory.string)
            let again = try await bench.source().pinAndFetch(repository.location)
            #expect(again == layer)
            #expect(try names(in: again, of: ["new"] + Self.names) == changed)
            // The next revision has no base any more.
            try repository.write(changed + ["newer"])
            let next = try await fetch(repository, bench.source())
            #expect(next.metadata.base == nil)
            #expect(try names(in: next, of: ["new", "newer"] + Self.names) == ["new", "newer"] + Self.names.dropFirst(2))
        }
    }

    @Test("a layer is never the base of another one, and many changes make a new base")
    func bases() async throws {
        try await Workbench.with { bench in
            let repository = try repository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            let first = try await fetch(repository, source)
            var names = Self.names
            for number in 0..<3 {
                names[number * 2] = "changed\(number)"
                try repository.write(names)
                #expect(try await fetch(repository, source).metadata.base == first.metadata.id)
            }
            for number in 10..<30 { names[number] = "changed\(number)" }
            try repository.write(names)
            let second = try await fetch(repository, source)
            #expect(second.metadata.base == nil)
            try repository.write(names.reversed())
            #expect(try await fetch(repository, source).metadata.base == second.metadata.id)
        }
    }

    @Test("without the files that a compose makes, or switched off, a revision is read as a whole")
    func noBase() async throws {
        try await Workbench.with { bench in
            let repository = try repository(bench)
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
            let repository = try repository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            _ = try await fetch(repository, source)
            try repository.write(Self.names + ["new"])
            for name in ["primary.changes", "filelists.changes", "base"] {
                let layer = try await fetch(repository, source)
                let file = layer.metadata.directory.appending(name)
                try file.write(file.contents().dropLast(1).map { $0 })
                let again = try await source.pinAndFetch(repository.location)
                #expect(try names(in: again, of: Self.names + ["new"]) == Self.names + ["new"])
            }
        }
    }

    @Test("a faulty revision is refused like any other, and nothing of it stays")
    func refused() async throws {
        try await Workbench.with { bench in
            let repository = try repository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            _ = try await fetch(repository, source)
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
            let repository = try repository(bench)
            let source = try bench.source()
            try repository.write(Self.names)
            let base = try await fetch(repository, source)
            var ids: [Checksum] = []
            var inUse: PinnedRepository?
            for number in 0..<8 {
                try repository.write(Self.names + ["new\(number)"])
                let layer = try await fetch(repository, source)
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
                ids.append(try await fetch(repository, source).metadata.id)
            }
            let kept = try bench.keptMetadata()
            #expect(kept == names([base.metadata.id, ids[1]] + ids.suffix(5)))
            withExtendedLifetime((base, inUse)) {}
            // A revision that was removed can be read again.
            try repository.write(Self.names)
            #expect(try await self.names(in: fetch(repository, source), of: Self.names) == Self.names)
        }
    }

    @Test("shared files count once for the size of the cache")
    func size() async throws {
        try await Workbench.with { bench in
            let repository = try repository(bench)
            let names = (0..<3000).map { "package-\($0)" }
            try repository.write(names)
            var source = try bench.source()
            let whole = try await fetch(repository, source)
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
                #expect(try await fetch(repository, source).metadata.base == whole.metadata.id)
            }
            #expect(try bench.keptMetadata().count == 5)
        }
    }
}
