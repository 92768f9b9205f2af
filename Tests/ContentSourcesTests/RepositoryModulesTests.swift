import ComposeModel
import Compression
import ContentSources
import Foundation
import Modules
import Repodata
import SystemPackage
import Testing

/// What repositories tell of modules.
@Suite("Modules of repositories") struct RepositoryModulesTests {
    private static let yaml = ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["ed-0:1.0-1.noarch"])

    /// A repository with this modules.yaml.
    private func repository(
        _ bench: Workbench, _ yaml: String = yaml, storage: TestRepository.Storage = .gz, name: String = "repo"
    ) async throws -> TestRepository {
        let repository = try await TestRepository(bench.sources.appending(name))
        let plain = repository.directory.appending("repodata/modules.yaml")
        try plain.write(yaml)
        let open = try FileChecksum.of(plain, .sha256)
        let command: (String, String)? =
            switch storage {
            case .gz: ("gzip", ".gz")
            case .xz: ("xz", ".xz")
            case .bz2: ("bzip2", ".bz2")
            case .zst: ("zstd", ".zst")
            case .plain: nil
            }
        if let command { try await execute(command.0, ["-q", plain.string]) }
        var documents = try Repomd(parsing: repository.repomd.contents()).records.map {
            (type: $0.type, location: $0.location, open: $0.openChecksum)
        }
        documents.append(("modules", "repodata/modules.yaml\(command?.1 ?? "")", open))
        try repository.writeRepomd(documents, marker: name)
        return repository
    }

    @Test(
        "modules.yaml comes in every compression, checked and decompressed beside the other documents",
        arguments: TestRepository.Storage.allCases)
    func compressions(storage: TestRepository.Storage) async throws {
        try await Workbench.with { bench in
            let repository = try await repository(bench, storage: storage)
            let source = try bench.source()
            let pinned = try await source.pinAndFetch(.directory(repository.directory))
            #expect(pinned.metadata.hasModules)
            #expect(try #require(pinned.metadata.modules).contents() == Array(Self.yaml.utf8))
            let modules = try await source.modules(of: pinned)
            #expect(modules.streams.map(\.id.description) == ["m:1:1:x"])
            #expect(modules.streams.first?.arch == "x86_64")
            let again = try await source.pinAndFetch(.directory(repository.directory))
            #expect(again == pinned)
        }
    }

    @Test("modules.yaml comes over HTTP too, and is read into memory once")
    func remote() async throws {
        try await Workbench.with { bench in
            let repository = try await repository(bench)
            try await FileServer.with(repository.directory) { server in
                let source = try bench.source([server.address])
                let pinned = try await source.pinAndFetch(try RepositoryLocation(server.address))
                let modules = try await source.modules(of: pinned)
                #expect(modules.streams.map(\.id.description) == ["m:1:1:x"])
                try FileManager.default.removeItem(atPath: try #require(pinned.metadata.modules).string)
                #expect(try await source.modules(of: pinned) == modules)
                // Only of the last few.
                for number in 1...4 {
                    let other = try await self.repository(bench, name: "other\(number)")
                    _ = try await source.modules(of: try await bench.source().pinAndFetch(.directory(other.directory)))
                }
                await #expect(throws: ComposeFailure.self) { try await source.modules(of: pinned) }
            }
        }
    }

    @Test("a repository without modules.yaml tells of none")
    func none() async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let source = try bench.source()
            let pinned = try await source.pinAndFetch(.directory(repository.directory))
            #expect(!pinned.metadata.hasModules)
            #expect(pinned.metadata.modules == nil)
            #expect(try await source.modules(of: pinned).isEmpty)
        }
    }

    @Test("a broken document is passed over, and named with the repository")
    func broken() async throws {
        try await Workbench.with { bench in
            let repository = try await repository(bench, Self.yaml + "---\ndocument: modulemd\nversion: 2\ndata: [\n")
            let source = try bench.source()
            let pinned = try await source.pinAndFetch(.directory(repository.directory))
            let modules = try await source.modules(of: pinned)
            #expect(!modules.streams.isEmpty)
            #expect(
                modules.unusable.first?.description.hasPrefix(
                    "The module metadata of the repository \(repository.directory) cannot be used for its document number ") == true)
        }
    }

    @Test("a modules.yaml that is too large for memory, or not what repomd.xml says, is refused")
    func refused() async throws {
        var limits = Workbench.limits
        limits.modulesOpenBytes = 100
        try await Workbench.with(limits: limits) { bench in
            let large = try await repository(bench)
            let source = try bench.source(limits: limits)
            let first = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(.directory(large.directory)) }
            #expect(first?.code == .limitExceeded)
            #expect(
                first?.message
                    == "The metadata of the repository \(large.directory) is too large: modules is larger than 100 bytes when decompressed, "
                    + "the most that is accepted for it.")
            let changed = try await repository(bench, storage: .plain, name: "changed")
            try changed.directory.appending("repodata/modules.yaml").write(Self.yaml + "#")
            let second = await #expect(throws: ComposeFailure.self) {
                try await bench.source().pinAndFetch(.directory(changed.directory))
            }
            #expect(second?.code == .metadataCorrupt)
            #expect(second?.message.contains("the document modules (repodata/modules.yaml) is not what repomd.xml says") == true)
        }
    }

    @Test("what an earlier version of the cache has is fetched anew, and removed when nobody asked for it; what is no metadata stays")
    func earlierVersion() async throws {
        try await Workbench.with { bench in
            let repository = try await repository(bench)
            let source = try bench.source()
            let pin = try await source.pin(.directory(repository.directory))
            let old = bench.cache.appending(pin.checksum.hex)
            try FileManager.default.createDirectory(atPath: old.string, withIntermediateDirectories: true)
            try old.appending("repomd.xml").write(repository.repomd.contents())
            let headers = bench.cache.appending("headers")
            try FileManager.default.createDirectory(atPath: headers.string, withIntermediateDirectories: true)
            let metadata = try await source.metadata(for: pin).metadata
            #expect(metadata.hasModules)
            #expect(metadata.directory != old)
            let past = Date(timeIntervalSinceNow: -3600)
            for directory in [old, headers] {
                try FileManager.default.setAttributes([.modificationDate: past], ofItemAtPath: directory.string)
            }
            #expect(try await source.removeMetadata(unusedSince: Date(timeIntervalSinceNow: -1800)) == 1)
            #expect(try bench.names(in: bench.cache) == [metadata.directory.lastComponent?.string, "headers", "latest"])
        }
    }
}
