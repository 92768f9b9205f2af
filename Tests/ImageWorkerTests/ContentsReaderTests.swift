import ImageModel
import ImageTestKit
import Registry
import SystemPackage
import Testing

@testable import ImageWorker

@Suite("The contents of images", .timeLimit(.minutes(5)))
struct ContentsReaderTests {
    private static let file = "\(SampleDatabase.place)/rpmdb.sqlite"

    @Test("an image's packages are those that rpm lists, with epochs and modules")
    func packages() async throws {
        try await ContentsWorld.run { world in
            let modular = try await SampleDatabase.modularPackage(in: world.directory)
            let database = try await SampleDatabase(world.directory.appending("db"), SampleDatabase.packages + [modular])
            let image = SmallImage(files: [("hello.txt", []), (Self.file, try database.bytes()), ("bye.txt", [])])
            let digest = try await world.push(image, to: "team/app")
            let contents = try await world.reader().contents(of: world.registry.repository("team/app"), digest: digest, platform: .host)
            let packages = try #require(contents.packages, "\(contents.state)")
            let listed = try await database.listed()
            #expect(packages.count == 3)
            #expect(packages.sorted { $0.name < $1.name } == listed.sorted { $0.name < $1.name })
            #expect(packages.first { $0.name == "ed-dictionary" }?.evr.epoch == 1)
            #expect(packages.first { $0.name == "modular" }?.module == "ed:classic")
            #expect(contents.digest == digest)
            #expect(contents.layers == image.layers.map { ImageDigest(of: $0) })
        }
    }

    @Test("packages that are only in the -wal file are read too", arguments: [false, true])
    func liveLog(isInLayerAbove: Bool) async throws {
        try await ContentsWorld.run { world in
            let all = try await SampleDatabase(world.directory.appending("all"), SampleDatabase.packages)
            let database = try await SampleDatabase(world.directory.appending("db"), SampleDatabase.packages)
            try await database.change("DELETE FROM Packages WHERE hnum = 2")
            let before = try database.bytes()
            try await database.change(
                "INSERT INTO main.Packages SELECT * FROM other.Packages WHERE hnum NOT IN (SELECT hnum FROM main.Packages)", other: all,
                leavesLog: true)
            #expect(try database.bytes() == before)
            let main = SmallImage.tar(Self.file, before)
            let log = SmallImage.tar("\(Self.file)-wal", try database.bytes("-wal"))
            let image = SmallImage(layers: isInLayerAbove ? [main, log] : [log.dropLast(1024) + main])
            let contents = try await world.contents(of: image)
            #expect(Set(contents.packages ?? []) == Set(try await all.listed()), "\(contents.state)")
            #expect(contents.packages?.count == 2)
        }
    }

    @Test("the topmost rpmdb counts, and images with the same layers have the same packages")
    func upperDatabase() async throws {
        try await ContentsWorld.run { world in
            let lower = try await SampleDatabase(world.directory.appending("lower"), Array(SampleDatabase.packages.prefix(1)))
            let upper = try await SampleDatabase(world.directory.appending("upper"), SampleDatabase.packages)
            let repository = try world.registry.repository("team/app")
            let reader = try world.reader()
            let files = [(name: Self.file, content: try lower.bytes()), (name: Self.file, content: try upper.bytes())]
            for (count, database) in [(1, lower), (2, upper), (1, lower), (2, upper)] {
                let digest = try await world.push(SmallImage(files: Array(files.prefix(count)) + [("a", [])]), to: "team/app")
                let contents = try await reader.contents(of: repository, digest: digest, platform: .host)
                #expect(Set(contents.packages ?? []) == Set(try await database.listed()), "\(contents.state)")
            }
        }
    }

    @Test("an rpmdb of SUSE makes the contents unknown")
    func ndb() async throws {
        try await ContentsWorld.run { world in
            let contents = try await world.contents(of: SmallImage(files: [("\(SampleDatabase.place)/Packages.db", Array("RpmP".utf8))]))
            #expect(contents.state == .unknown("The rpmdb has the format ndb of SUSE, which is not read here."))
            #expect(contents.packages == nil)
        }
    }

    @Test("an image without an rpmdb has none", arguments: ["hello.txt", "\(SampleDatabase.place)/rpmdb.sqlite-wal"])
    func none(file: String) async throws {
        try await ContentsWorld.run { world in
            let contents = try await world.contents(of: SmallImage(files: [(file, Array("hello\n".utf8))]))
            #expect(contents.state == Contents.State.none)
            #expect(contents.packages == [])
        }
    }

    @Test(
        "an image whose upper layer hides the rpmdb has none",
        arguments: [".wh.rpmdb.sqlite", ".wh..wh..opq", "../.wh.rpm", "../.wh..wh..opq"])
    func hidden(by name: String) async throws {
        try await ContentsWorld.run { world in
            let database = try await SampleDatabase(world.directory.appending("db"), SampleDatabase.packages)
            let path = name.hasPrefix("../") ? "usr/lib/sysimage/\(name.dropFirst(3))" : "\(SampleDatabase.place)/\(name)"
            let contents = try await world.contents(of: SmallImage(files: [(Self.file, try database.bytes()), (path, [])]))
            #expect(contents.state == Contents.State.none)
        }
    }

    enum Damage: CaseIterable, Sendable {
        case empty, text, cut, pages, header, allHeaders, noTable
    }

    @Test("a damaged rpmdb makes the contents unknown, and never empty", arguments: Damage.allCases)
    func damaged(_ damage: Damage) async throws {
        try await ContentsWorld.run { world in
            let database = try await SampleDatabase(world.directory.appending("db"), SampleDatabase.packages)
            var bytes = try database.bytes()
            switch damage {
            case .empty: bytes = []
            case .text: bytes = Array("SQLite format 3\0 is what a database begins with. This is none.\n".utf8)
            case .cut: bytes.removeLast(bytes.count / 2)
            case .pages: bytes.replaceSubrange(8192..<bytes.count, with: repeatElement(0xA5, count: bytes.count - 8192))
            case .header:
                try await database.change("UPDATE Packages SET blob = x'00FF' WHERE hnum = (SELECT max(hnum) FROM Packages)")
                bytes = try database.bytes()
            case .allHeaders:
                try await database.change("UPDATE Packages SET blob = zeroblob(length(blob))")
                bytes = try database.bytes()
            case .noTable:
                try await database.change("DROP TABLE Packages")
                bytes = try database.bytes()
            }
            let contents = try await world.contents(of: SmallImage(files: [(Self.file, bytes)]))
            guard case .unknown(let problem) = contents.state else {
                Issue.record("\(damage): \(contents.state)")
                return
            }
            #expect(problem.hasPrefix("librpm cannot read the rpmdb: "), "\(damage)")
            #expect(contents.packages == nil)
        }
    }

    @Test("an index and an image for another platform are unknown, and an absent manifest is an error")
    func others() async throws {
        try await ContentsWorld.run { world in
            let repository = try world.registry.repository("team/app")
            let other = try Platform("linux/s390x")
            let image = SmallImage()
            let index = try await world.push([.host: image], to: "team/app", tag: "latest")
            let reader = try world.reader()
            let ofIndex = try await reader.contents(of: repository, digest: index, platform: .host)
            #expect(ofIndex.state == .unknown("\(index) is an index, and not the manifest of one platform."))
            let ofOther = try await reader.contents(of: repository, digest: image.document.digest, platform: other)
            #expect(ofOther.state == .unknown("The image is for \(Platform.host), and not for \(other)."))
            let failure = await #expect(throws: RegistryFailure.self) {
                try await reader.contents(of: repository, digest: ImageDigest(of: Array("absent".utf8)), platform: .host)
            }
            #expect(failure?.code == .notFound)
        }
    }
}
