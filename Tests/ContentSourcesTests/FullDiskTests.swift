import ComposeModel
import Foundation
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

/// A file system of 256 KiB.
private enum SmallDisk {
    static func mounted(at directory: FilePath, _ body: () async throws -> Void) async throws {
        try await execute("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", directory.string])
        let result: Result<Void, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try await execute("umount", [directory.string])
        try result.get()
    }

    static var isPossible: Bool {
        get async {
            do {
                try await Workbench.with { try await mounted(at: $0.tree) {} }
                return true
            } catch {
                return false
            }
        }
    }
}

@Suite(
    "A full disk",
    .enabled("the small disk that these tests fill can be mounted only by root, with CAP_SYS_ADMIN") { await SmallDisk.isPossible })
struct FullDiskTests {
    /// `disk` is a small one.
    private func with(_ body: (Workbench, TestRepository, FilePath) async throws -> Void) async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            let disk = bench.directory.appending("disk")
            try disk.createDirectory()
            try await SmallDisk.mounted(at: disk) { try await body(bench, repository, disk) }
        }
    }

    private let full = ComposeFailure(
        .storage, "This service's disk is full. The operator of this service has to make room.", isTransient: true)

    @Test("a package that does not fit leaves nothing, whether copied or downloaded")
    func packages() async throws {
        try await with { bench, repository, disk in
            let source = try bench.source()
            let local = try await source.pinAndFetch(.directory(repository.directory))
            let copying = try bench.delivery()
            let record = try repository.record("big")
            #expect(
                await #expect(throws: ComposeFailure.self) { try await copying.deliver(record, of: local, to: disk.appending("a/big.rpm")) }
                    == full)
            try await FileServer.with(bench.sources) { server in
                let remote = try await bench.source([server.address]).pinAndFetch(RepositoryLocation("\(server.address)/repo"))
                let downloading = try bench.delivery([server.address])
                #expect(
                    await #expect(throws: ComposeFailure.self) {
                        try await downloading.deliver(record, of: remote, to: disk.appending("a/big.rpm"))
                    } == full)
            }
            #expect(try bench.names(in: disk.appending("a")) == [])
        }
    }

    @Test("metadata that does not fit leaves nothing, whether stored or decompressed")
    func metadata() async throws {
        try await with { bench, repository, disk in
            let comment = (0..<60_000).map { "\($0 &* 2_654_435_761) " }.joined()
            for storage in ["plain", "compressed"] {
                try repository.replacePrimary(with: "<metadata packages=\"0\"><!-- \(comment) --></metadata>")
                if storage == "compressed" {
                    let zeros = String(repeating: "0", count: 1 << 20)
                    try repository.directory.appending("repodata/primary.xml").write(
                        "<metadata packages=\"0\"><!-- \(zeros) --></metadata>")
                    try await execute("gzip", ["--force", repository.directory.appending("repodata/primary.xml").string])
                    try repository.writeRepomd([("primary", "repodata/primary.xml.gz", nil)], marker: storage)
                }
                let source = try bench.source(cache: disk.appending("cache"))
                let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(.directory(repository.directory)) }
                #expect(failure?.code == .storage)
                #expect(failure?.isTransient == true)
                #expect(failure?.message.contains(bench.directory.string) == false)
                #expect(try bench.names(in: disk.appending("cache")) == [])
            }
        }
    }
}
