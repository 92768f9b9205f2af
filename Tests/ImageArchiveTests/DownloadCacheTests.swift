import ForeignText
import Foundation
import Glibc
import ImageArchive
import ImageModel
import SystemPackage
import Testing

@Suite("download cache")
struct DownloadCacheTests {
    private let directory: TemporaryDirectory
    private let cache: DownloadCache
    private let name: CacheName
    private let tag: ImageTag

    init() throws {
        directory = try TemporaryDirectory()
        cache = DownloadCache(directory.path.appending("cache"))
        tag = try ImageTag("12")
        name = try CacheName(try ImageReference("debian").repository, .tag(tag), platform: try Platform("linux/amd64"))
    }

    private func publish(_ content: String = "archive") async throws -> DownloadCache.Entry {
        let lock = try await cache.lock(name)
        try Data(content.utf8).write(to: URL(fileURLWithPath: cache.newFile(name).string))
        return try cache.publish(name, try TestImage.sample().document, tag: .latest, index: nil, under: lock)
    }

    @Test("names are those of isar's fetcher")
    func names() throws {
        #expect(name.path == "container-images/amd64/debian_12.zst")
        let digest = ImageDigest(of: [])
        let repository = try ImageReference("registry.example.org:5000/team/web").repository
        let arm = try CacheName(repository, .digest(digest), platform: try Platform("linux/arm/v7"))
        #expect(arm.path == "container-images/arm/v7/registry.example.org:5000.team.web_sha256-\(digest.hex).zst")
        #expect("\(try arm.workName(tag: .latest))" == "registry.example.org:5000.team.web:latest.zst")
    }

    @Test("an archive is found with its manifest, and without the network")
    func hit() async throws {
        #expect(try cache.entry(name) == nil)
        let entry = try await publish()
        #expect(try cache.entry(name) == entry)
        #expect(try cache.entry(name, check: .time) == entry)
        #expect(try entry.record.document() == (try TestImage.sample()).document)
        #expect(entry.record.describes(try TestImage.sample().document.digest))
        let files = try FileManager.default.contentsOfDirectory(atPath: entry.path.removingLastComponent().string).sorted()
        #expect(files == ["debian_12.zst", "debian_12.zst.json"])
    }

    @Test("an archive that was changed, even without its size, is not used")
    func changed() async throws {
        let entry = try await publish()
        try Data("ARCHIVE".utf8).write(to: URL(fileURLWithPath: entry.path.string))
        #expect(try cache.entry(name) == nil)
        #expect(try cache.entry(name, check: .time) == nil)
    }

    @Test("an archive without a side file, or with a damaged one, is not used")
    func withoutRecord() async throws {
        let side = try await publish().path.string + ".json"
        try Data("{".utf8).write(to: URL(fileURLWithPath: side))
        #expect(try cache.entry(name) == nil)
        unlink(side)
        #expect(try cache.entry(name) == nil)
    }

    @Test("one holder at a time has the lock of a place, and the next one gets it")
    func locks() async throws {
        var first: CacheLock? = try await cache.lock(name)
        #expect(first != nil)
        #expect(try cache.attemptLock(name) == nil)
        async let second = cache.lock(name, retryingEvery: .milliseconds(1))
        first = nil
        _ = try await second
    }

    @Test("parallel fetches of one image share one download")
    func shared() async throws {
        let downloads = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let lock = try await cache.lock(name, retryingEvery: .milliseconds(1))
                    if try cache.entry(name) != nil { return 0 }
                    try Data("archive".utf8).write(to: URL(fileURLWithPath: cache.newFile(name).string))
                    _ = try cache.publish(name, try TestImage.sample().document, tag: .latest, index: nil, under: lock)
                    return 1
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(downloads == 1)
    }

    @Test("an archive is linked into the work directory, and replaces the file there")
    func deliver() async throws {
        let entry = try await publish()
        let work = directory.path.appending("work")
        mkdir(work.string, 0o755)
        try Data("old".utf8).write(to: URL(fileURLWithPath: work.appending("debian:12.zst").string))
        for _ in 0..<2 { #expect(try cache.deliver(entry, to: work.appending(try name.workName(tag: tag).text)) == .hardLink) }
        var status = stat()
        #expect(stat(work.appending("debian:12.zst").string, &status) == 0)
        #expect(status.st_nlink == 2)
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.string) == ["debian:12.zst"])
    }

    @Test("an archive is copied into a work directory on another file system")
    func copy() async throws {
        let entry = try await publish()
        let work = FilePath("/dev/shm/odcs-archive-\(UUID().uuidString)")
        try #require(mkdir(work.string, 0o755) == 0)
        defer { try? FileManager.default.removeItem(atPath: work.string) }
        let delivery = try cache.deliver(entry, to: work.appending(try name.workName(tag: tag).text))
        #expect(delivery == .copy || delivery == .reflink)
        #expect(try work.appending("debian:12.zst").bytes == Array("archive".utf8))
    }
}
