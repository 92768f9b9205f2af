import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

@Suite struct ContentsTests {
    private let openssl = InstalledPackage.named("openssl-libs 1:3.0.7-28.el9")

    @Test("the contents of a manifest are recorded once, and read as they were")
    func recorded() async throws {
        try await TestDatabase.with { database in
            let packages: [InstalledPackage] = [
                .named("nodejs 1:18.20.4-1", module: "nodejs:18:9040020240807:rhel9"), .named("openssl-libs 1:3.0.7-27.el9"),
                .named("openssl-libs 1:3.0.7-27.el9", arch: "i686"),
            ]
            let contents = Contents(
                digest: .numbered(1), platform: TestDatabase.amd64, layers: [.numbered(7), .numbered(8)], state: .read(packages))
            try await database.store.record(contents)
            try await database.store.record(Contents(digest: .numbered(1), platform: TestDatabase.amd64, state: .none))
            let read = try #require(try await database.store.contents(of: .numbered(1)))
            #expect(read.layers == contents.layers)
            #expect(Set(read.packages ?? []) == Set(packages))
            #expect(read.packages?.first?.module == "nodejs:18")
            #expect(read.packages?.last?.source == "openssl-libs-3.0.7-27.el9.src.rpm")
            #expect(try await database.store.contents(of: .numbered(2)) == nil)
        }
    }

    @Test("no rpmdb is not the same as one that could not be read, and the latter may be read again")
    func unknown() async throws {
        try await TestDatabase.with { database in
            try await database.store.record(Contents(digest: .numbered(1), platform: TestDatabase.amd64, state: .none))
            let unreadable = Contents(
                digest: .numbered(2), platform: TestDatabase.amd64, state: .unknown("The rpmdb is in the format ndb."))
            try await database.store.record(unreadable)
            #expect(try await database.store.contents(of: .numbered(1))?.packages == [])
            #expect(try await database.store.contents(of: .numbered(2)) == unreadable)
            #expect(unreadable.packages == nil)
            try await database.store.record(Contents(digest: .numbered(2), platform: TestDatabase.amd64, state: .read([openssl])))
            #expect(try await database.store.contents(of: .numbered(2))?.packages == [openssl])
        }
    }

    @Test("images with an older build are found on each platform, with epochs, and no others")
    func affected() async throws {
        try await TestDatabase.with { database in
            let images = [
                "older": ("openssl-libs 1:3.0.7-27.el9", "x86_64"), "equal": ("openssl-libs 1:3.0.7-28.el9", "x86_64"),
                "newer": ("openssl-libs 1:3.0.10-1.el9", "x86_64"), "epoch": ("openssl-libs 3.0.7-30.el9", "x86_64"),
                "other-arch": ("openssl-libs 1:3.0.7-27.el9", "aarch64"), "other-name": ("openssl 1:3.0.7-27.el9", "x86_64"),
            ]
            for (number, (name, package)) in images.sorted(by: { $0.key < $1.key }).enumerated() {
                try await database.contents([.named(package.0, arch: package.1)], of: database.image(name), digest: .numbered(number))
            }
            let found = try await database.store.images(olderThan: [.named("openssl-libs 1:3.0.7-26.el9"), openssl])
            var names: [String] = []
            for image in found.affected { names.append(try #require(try await database.store.image(image.image)).repository.path) }
            #expect(names.sorted() == ["team/epoch", "team/older"], "1:3.0.7-28 is newer than 3.0.7-30, and 3.0.10 than 3.0.7")
            #expect(found.affected.allSatisfy { $0.findings.map(\.newest) == [openssl.evr] })
            #expect(found.affected.last?.platform == TestDatabase.amd64)
            #expect(found.unknown == [])
        }
    }

    @Test("a package of a module stream is compared with that stream only")
    func modules() async throws {
        try await TestDatabase.with { database in
            for (number, module) in [nil, "nodejs:18:1:a", "nodejs:20:1:a"].enumerated() {
                try await database.contents(
                    [.named("nodejs 1:16.0.0-1", module: module)], of: database.image("i\(number)"), digest: .numbered(number))
            }
            func affected(_ module: String?) async throws -> [Int] {
                try await database.store.images(olderThan: [.named("nodejs 1:22.0.0-1", module: module)]).affected.map(\.image)
            }
            #expect(try await affected("nodejs:18:2:b") == [2])
            #expect(try await affected("nodejs:20:2:b") == [3])
            #expect(try await affected(nil) == [1])
        }
    }

    @Test("images whose contents are unknown or unread are listed apart, and removed ones not at all")
    func notClean() async throws {
        try await TestDatabase.with { database in
            let (unread, unreadable, empty) = (
                try await database.image("unread"), try await database.image("unreadable"), try await database.image("empty")
            )
            for image in [unread, unreadable, empty] {
                try await database.store.recordLook(
                    at: image.id, tag: .latest, digest: .numbered(image.id), manifests: [TestDatabase.amd64: .numbered(image.id)])
            }
            try await database.store.record(
                Contents(digest: .numbered(unreadable.id), platform: TestDatabase.amd64, state: .unknown("It is ndb.")))
            try await database.store.record(Contents(digest: .numbered(empty.id), platform: TestDatabase.amd64, state: .none))
            let removed = try await database.image("removed")
            try await database.contents([.named("openssl-libs 1:1-1")], of: removed, digest: .numbered(99))
            #expect(try await database.store.removeImage(removed.id, by: TestDatabase.owner))
            let found = try await database.store.images(olderThan: [openssl])
            #expect(found.affected == [])
            #expect(found.unknown.map(\.image) == [unread.id, unreadable.id])
            #expect(found.unknown.map(\.problem) == [nil, "It is ndb."])
            #expect(try await database.store.unreadManifests(limit: 10).map(\.repository) == [unread.repository])
        }
    }

    @Test("contents of many images are recorded at the same time")
    func concurrently() async throws {
        try await TestDatabase.with { database in
            let packages = (0..<50).map { InstalledPackage.named("p\($0) 1.\($0)-1") }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        try await database.store.record(
                            Contents(digest: .numbered(number), platform: TestDatabase.amd64, state: .read(packages.shuffled())))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.pool.query("SELECT count(*) AS n FROM packages")[0].decode(Int.self, "n") == 50)
            #expect(try await database.pool.query("SELECT count(*) AS n FROM content_packages")[0].decode(Int.self, "n") == 300)
        }
    }
}
