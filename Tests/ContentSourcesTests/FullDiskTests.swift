import ComposeModel
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

/// A file system of 256 KiB.
private enum SmallDisk {
    static func mounted(at directory: FilePath, options: String = "size=256k", _ body: () async throws -> Void) async throws {
        try await execute("mount", ["-t", "tmpfs", "-o", options, "tmpfs", directory.string])
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

    private static let names = (0..<50).map { "p\($0)" }

    /// Reads a base into a cache on a small disk.
    private func withBase(
        options: String = "size=256k", _ body: (Workbench, SmallRepository, FilePath, RepositorySource) async throws -> Void
    ) async throws {
        try await Workbench.with { bench in
            let repository = try SmallRepository(bench)
            try repository.write(Self.names)
            let disk = bench.directory.appending("disk")
            try disk.createDirectory()
            try await SmallDisk.mounted(at: disk, options: options) {
                let source = try bench.source(cache: disk.appending("cache"))
                _ = try await repository.fetch(source)
                try await body(bench, repository, disk, source)
            }
        }
    }

    @Test("a disk that is full at any step of a layer costs the attempt, and nothing else")
    func layers() async throws {
        for pages in 0..<24 {
            try await withBase { _, repository, disk, source in
                // All bytes but those of some pages are taken.
                let filler = disk.appending("filler")
                let room = try Self.freeBytes(of: disk) - pages * 4096
                try filler.write([UInt8](repeating: 1, count: max(0, room)))
                try await expectNothingWrong(repository, source) { unlink(filler.string) }
            }
        }
    }

    @Test("a disk without room for another file costs the attempt, and nothing else")
    func files() async throws {
        for files in 0..<20 {
            try await withBase(options: "size=256k,nr_inodes=100") { _, repository, disk, source in
                let free = try Self.freeFiles(of: disk)
                let fillers = (0..<max(0, free - files)).map { disk.appending("filler\($0)") }
                for filler in fillers { try filler.write("") }
                try await expectNothingWrong(repository, source) { for filler in fillers { unlink(filler.string) } }
            }
        }
    }

    /// Reads the next revision twice: before and after there is room.
    private func expectNothingWrong(_ repository: SmallRepository, _ source: RepositorySource, makeRoom: () -> Void) async throws {
        let next = Self.names.dropFirst() + ["new"]
        try repository.write(Array(next))
        var first: PinnedRepository?
        do throws(ComposeFailure) {
            first = try await source.pinAndFetch(repository.location)
        } catch {
            #expect(error.code == .storage && error.isTransient)
        }
        makeRoom()
        let again = try await source.pinAndFetch(repository.location)
        for pinned in [first, again].compactMap({ $0 }) {
            #expect(try SmallRepository.names(in: pinned, of: ["new"] + Self.names).sorted() == next.sorted())
        }
    }

    @Test("a cache that became read-only still serves its layers, and refuses new ones")
    func readOnly() async throws {
        try await withBase { _, repository, disk, source in
            try repository.write(Self.names + ["new"])
            let layer = try await repository.fetch(source)
            #expect(layer.metadata.base != nil)
            try await execute("mount", ["-o", "remount,ro", disk.string])
            let again = try await source.pinAndFetch(repository.location)
            #expect(try SmallRepository.names(in: again, of: Self.names + ["new"]) == Self.names + ["new"])
            try repository.write(Self.names + ["newer"])
            let failure = await #expect(throws: ComposeFailure.self) { try await source.pinAndFetch(repository.location) }
            #expect(failure?.code == .storage)
            try await execute("mount", ["-o", "remount,rw", disk.string])
            let next = try await source.pinAndFetch(repository.location)
            #expect(try SmallRepository.names(in: next, of: Self.names + ["new", "newer"]) == Self.names + ["newer"])
        }
    }

    private static func freeBytes(of disk: FilePath) throws -> Int {
        let status = try Self.status(of: disk)
        return Int(status.f_bavail) * Int(status.f_bsize)
    }

    private static func freeFiles(of disk: FilePath) throws -> Int { Int(try status(of: disk).f_favail) }

    private static func status(of disk: FilePath) throws -> statvfs {
        var status = statvfs()
        guard statvfs(disk.string, &status) == 0 else { throw Errno(rawValue: errno) }
        return status
    }
}
