import ComposeModel
import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Metadata of repositories on this host's disks")
struct LocalMetadataTests {
    @Test("every compression gives the same documents", arguments: TestRepository.Storage.allCases)
    func compressions(storage: TestRepository.Storage) async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"), storage: storage)
            let pinned = try await bench.source().pinAndFetch(.directory(repository.directory))
            let metadata = pinned.metadata
            #expect(metadata.directory == bench.cache.appending("\(metadata.id.hex)-3"))
            #expect(try bench.names(in: metadata.directory) == ["filelists.xml", "other.xml", "primary.xml", "repomd.xml"])
            #expect(try metadata.directory.appending("repomd.xml").contents() == repository.repomd.contents())
            #expect(metadata.hasFilelists && metadata.hasOther)
            #expect(pinned.revision == "1")
            #expect(try MetadataIndex(opening: metadata).count == 3)
            #expect(try bench.keptMetadata() == ["\(metadata.id.hex)-3"])
        }
    }

    @Test("a repository with primary alone is one")
    func primaryAlone() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try repository.replacePrimary(with: "<?xml version=\"1.0\"?>\n<!-- empty --><metadata packages=\"0\"/>")
            let metadata = try await bench.source().pinAndFetch(.directory(repository.directory)).metadata
            #expect(!metadata.hasFilelists && !metadata.hasOther)
        }
    }

    @Test("the pin is the SHA-256 of repomd.xml, and what it pins comes from the cache when the repository is gone")
    func cached() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let location = RepositoryLocation.directory(repository.directory)
            let source = try bench.source()
            let pin = try await source.pin(location)
            #expect(try pin.checksum == FileChecksum.of(repository.repomd, .sha256))
            #expect(try bench.names(in: bench.cache) == [])
            let first = try await source.metadata(for: pin)
            try FileManager.default.removeItem(atPath: repository.directory.string)
            #expect(try await source.metadata(for: pin) == first)
            #expect(try await source.metadata(for: RepositoryPin(recorded: pin.checksum, of: location)) == first)
        }
    }

    @Test("what this service serves itself is read from its disk, by its address and without HTTP, but for what has a dot at its start")
    func published() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.outside.appending("odcs-1/os"))
            _ = try await TestRepository(bench.outside.appending(".work/os"))
            let access = try bench.access().publishing(bench.outside, at: "https://odcs.invalid/composes")
            let source = try bench.source(access: access)
            let pinned = try await source.pinAndFetch(try RepositoryLocation("https://odcs.invalid/composes/odcs-1/os"))
            #expect(try pinned.metadata.id == FileChecksum.of(repository.repomd, .sha256))
            #expect(pinned.location.description == "https://odcs.invalid/composes/odcs-1/os")
            for address in ["https://odcs.invalid/composes/.work/os", "https://odcs.invalid/composes-2/odcs-1/os"] {
                let location = try RepositoryLocation(address)
                let failure = await #expect(throws: ComposeFailure.self) { try await source.pin(location) }
                #expect(failure?.message.contains("may not be read") == true)
            }
        }
    }

    @Test("a directory that is no repository is refused with a question that helps")
    func noRepository() async throws {
        try await Workbench.with { bench in
            let source = try bench.source()
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pin(.directory(bench.sources)) }
            #expect(
                failure
                    == ComposeFailure(
                        .sourceNotUsable,
                        "There is no repodata/repomd.xml at \(bench.sources): is it the directory of an RPM repository, the one in which repodata lies?"
                    ))
        }
    }

    @Test("repodata that is a link to a place outside, or a pipe, is not read")
    func escapes() async throws {
        try await Workbench.with { bench in
            let outside = try await TestRepository(bench.outside.appending("repo"))
            let source = try bench.source()
            for (name, reason) in [
                ("link", "its path leads out of the directories that this service may read"), ("pipe", "it is not a regular file"),
            ] {
                let directory = bench.sources.appending(name)
                try directory.createDirectory()
                if name == "link" {
                    try FileManager.default.createSymbolicLink(
                        atPath: directory.appending("repodata").string, withDestinationPath: outside.directory.appending("repodata").string)
                } else {
                    try directory.appending("repodata").createDirectory()
                    mkfifo(directory.appending("repodata/repomd.xml").string, 0o644)
                }
                let failure = await #expect(throws: ComposeFailure.self) { try await source.pin(.directory(directory)) }
                #expect(failure == ComposeFailure(.sourceNotUsable, "The repository \(directory) cannot be read: \(reason)."))
            }
            await #expect(throws: ComposeFailure.self) { try await source.pin(.directory(outside.directory)) }
        }
    }

    @Test("a repomd.xml that names a document at a place that may not be read is refused")
    func documentElsewhere() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try bench.outside.appending("primary.xml").write("<metadata/>")
            let text = String(decoding: try repository.repomd.contents(), as: UTF8.self)
            try repository.repomd.write(text.replacing("<location href", with: "<location xml:base=\"file://\(bench.outside)\" href"))
            let source = try bench.source()
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(.directory(repository.directory)) }
            #expect(failure?.code == .sourceNotUsable)
            #expect(failure?.message.hasSuffix("the metadata says that it lies in a directory that this service may not read.") == true)
        }
    }

    enum Damage: CaseIterable {
        case cutDocument, longerDocument, otherDocument, missingDocument, notXML, doctype, onlySQLite, notRepomd

        var expected: (code: ComposeFailure.Code, words: String) {
            switch self {
            case .cutDocument: (.metadataCorrupt, "it has 100 bytes instead of ")
            case .longerDocument: (.metadataCorrupt, "bytes instead of ")
            case .otherDocument: (.metadataCorrupt, "it has the checksum sha256:")
            case .missingDocument: (.metadataCorrupt, "it does not exist")
            case .notXML: (.metadataCorrupt, "primary does not begin as a document of rpm metadata")
            case .doctype: (.sourceNotUsable, "primary contains a document type declaration")
            case .onlySQLite: (.sourceNotUsable, "only as an SQLite database (primary_db)")
            case .notRepomd: (.metadataCorrupt, "Is it the location of an RPM repository?")
            }
        }

        func apply(to repository: TestRepository) throws {
            let primary = try repository.document("primary")
            let text = String(decoding: try repository.repomd.contents(), as: UTF8.self)
            switch self {
            case .cutDocument: try primary.write(Array(primary.contents().prefix(100)))
            case .longerDocument: try primary.write(primary.contents() + [0])
            case .otherDocument: try primary.write(primary.contents().reversed())
            case .missingDocument: unlink(primary.string)
            case .notXML: try repository.replacePrimary(with: "<html><body>Please log in</body></html>")
            case .doctype:
                try repository.replacePrimary(
                    with: "<?xml version=\"1.0\"?><!-- <metadata> --><!DOCTYPE metadata [<!ENTITY a \"aaaa\">]><metadata>&a;</metadata>")
            case .onlySQLite: try repository.repomd.write(text.replacing("type=\"primary\"", with: "type=\"primary_db\""))
            case .notRepomd: try repository.repomd.write("<html><body>It works!</body></html>")
            }
        }
    }

    @Test("damaged metadata is refused, what differs is said, and nothing of it stays", arguments: Damage.allCases)
    func damage(damage: Damage) async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try damage.apply(to: repository)
            let source = try bench.source()
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(.directory(repository.directory)) }
            #expect(failure?.code == damage.expected.code)
            #expect(failure?.isTransient == false)
            #expect(failure?.message.contains(damage.expected.words) == true, "\(failure?.message ?? "")")
            #expect(failure?.message.contains(bench.cache.string) == false)
            #expect(try bench.names(in: bench.cache) == [])
        }
    }

    @Test("the checksum of the stored document counts, and that of its content is not needed")
    func openChecksum() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let text = String(decoding: try repository.repomd.contents(), as: UTF8.self)
            let open = try #require(try Repomd(parsing: repository.repomd.contents()).record("primary")?.openChecksum)
            try repository.repomd.write(text.replacing(open.hex, with: String(open.hex.reversed())))
            let metadata = try await bench.source().pinAndFetch(.directory(repository.directory)).metadata
            #expect(try MetadataIndex(opening: metadata).count == 3)
        }
    }

    @Test("a document beyond the limits is refused, compressed and decompressed")
    func limits() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let primary = try #require(try Repomd(parsing: repository.repomd.contents()).record("primary"))
            var compressed = Workbench.limits
            compressed.metadataBytes = try #require(primary.size) - 1
            var open = Workbench.limits
            open.metadataOpenBytes = try #require(primary.openSize) - 1
            for (limits, words) in [
                (compressed, "has more than \(compressed.metadataBytes) bytes"), (open, "has more than \(open.metadataOpenBytes) bytes"),
            ] {
                // repomd.xml itself may be larger than the first limit, so it is pinned without.
                let pin = try await bench.source().pin(.directory(repository.directory))
                let source = try bench.source(limits: limits)
                let failure = await #expect(throws: ComposeFailure.self) { try await source.metadata(for: pin) }
                #expect(failure?.code == .limitExceeded)
                #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
                #expect(try bench.names(in: bench.cache) == [])
            }
            // Without sizes in repomd.xml the bytes themselves are counted.
            let text = String(decoding: try repository.repomd.contents(), as: UTF8.self)
            try repository.repomd.write(text.replacing(#/<open-size>\d+</open-size>/#, with: ""))
            let source = try bench.source(limits: open)
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(.directory(repository.directory)) }
            #expect(failure?.code == .limitExceeded)
        }
    }

    @Test("many that fetch the same metadata at once all get it, and it is there once")
    func race() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let sources = try (0..<8).map { _ in try bench.source() }
            let found = try await withThrowingTaskGroup { group in
                for source in sources {
                    group.addTask { try await source.pinAndFetch(.directory(repository.directory)) }
                }
                return try await group.reduce(into: Set<PinnedRepository>()) { $0.insert($1) }
            }
            #expect(found.count == 1)
            #expect(try bench.keptMetadata() == ["\(try #require(found.first).metadata.id.hex)-3"])
        }
    }

    @Test("a repository that changed since it was pinned is pinned again; a recorded pin cannot be")
    func changed() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let location = RepositoryLocation.directory(repository.directory)
            let source = try bench.source()
            let old = try await source.pin(location)
            try FileManager.default.removeItem(atPath: repository.directory.appending("repodata").string)
            try repository.directory.appending("repodata").createDirectory()
            try repository.replacePrimary(with: "<metadata/>")

            let fresh = await #expect(throws: ComposeFailure.self) { try await source.metadata(for: old) }
            #expect(fresh == ComposeFailure(.sourceChanging, "The repository \(location) changed while it was read.", isTransient: true))
            let recorded = await #expect(throws: ComposeFailure.self) {
                try await source.metadata(for: RepositoryPin(recorded: old.checksum, of: location))
            }
            #expect(
                recorded
                    == ComposeFailure(
                        .sourceNotUsable,
                        "The repository \(location) no longer has the metadata of the time when the compose was first made (repomd.xml \(old.checksum)): "
                            + "it has changed since. A new compose takes it as it is now."))
            #expect(try await source.pinAndFetch(location).metadata.id != old.checksum)
        }
    }

    @Test("metadata that nobody asks for any more is removed, and other metadata stays")
    func unused() async throws {
        try await Workbench.with { bench in
            let old = try await TestRepository(bench.sources.appending("old"), marker: "old")
            let new = try await TestRepository(bench.sources.appending("new"), marker: "new")
            let source = try bench.source()
            let unused = try await source.pinAndFetch(.directory(old.directory)).metadata
            let used = try await source.pinAndFetch(.directory(new.directory)).metadata
            for metadata in [unused, used] {
                var times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
                #expect(utimes(metadata.directory.string, &times) == 0)
            }
            _ = try await source.pinAndFetch(.directory(new.directory))
            #expect(try await source.removeMetadata(unusedSince: Date(timeIntervalSince1970: 1000)) == 1)
            #expect(try bench.keptMetadata() == ["\(used.id.hex)-3"])
        }
    }

    @Test("the cache gives up what was used least recently when it is full, and nothing that is in use")
    func fullCache() async throws {
        var limits = Workbench.limits
        limits.cacheBytes = 1
        try await Workbench.with { bench in
            let source = try bench.source(limits: limits)
            func fetch(_ marker: String) async throws -> PinnedRepository {
                let repository = try await TestRepository(bench.sources.appending(marker), marker: marker)
                return try await source.pinAndFetch(.directory(repository.directory))
            }
            let first = try await fetch("first")
            let second = try await fetch("second").metadata
            #expect(try bench.keptMetadata() == [first.metadata.id, second.id].map { "\($0.hex)-3" }.sorted())
            let third = try await fetch("third")
            #expect(try bench.keptMetadata() == [first.metadata.id, third.metadata.id].map { "\($0.hex)-3" }.sorted())
            #expect(first.metadata.primary.exists)
        }
    }

    @Test("what a process that died left behind is removed after a day, and what is under preparation stays")
    func abandoned() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let old = bench.cache.appending(".preparing-old")
            let new = bench.cache.appending(".preparing-new")
            for directory in [old, new] { try directory.createDirectory() }
            var times = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
            #expect(utimes(old.string, &times) == 0)
            let pinned = try await bench.source().pinAndFetch(.directory(repository.directory))
            #expect(try bench.keptMetadata() == [".preparing-new", "\(pinned.metadata.id.hex)-3"])
        }
    }
}
