import Foundation
import ImageArchive
import ImageModel
import SystemPackage
import Testing

@Suite("rpm databases in layers")
struct RPMDatabaseFinderTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Searches layers, from the bottom to the top. Returns the result and the numbers of the layers that
    /// were read, in that order.
    private func find(_ layers: [(TarEntry, String)]..., mostBytes: Int = 1000) async throws -> (RPMDatabaseSearch, read: [Int]) {
        let layers = try layers.map { try TestLayer($0) }
        var read: [Int] = []
        let finder = RPMDatabaseFinder(into: directory.path, mostBytes: mostBytes)
        let result = try await finder.find(in: layers.map(\.descriptor)) { descriptor in
            let number = layers.firstIndex { $0.descriptor == descriptor }!
            read.append(number)
            return layers[number].chunks
        }
        return (result, read)
    }

    private func content(_ search: RPMDatabaseSearch, _ name: String) -> String? {
        guard case .found(let database) = search else { return nil }
        return try? String(decoding: database.directory.appending(name).bytes, as: UTF8.self)
    }

    private let fedora = "usr/lib/sysimage/rpm/rpmdb.sqlite"

    @Test(
        "each format is found in each of its places",
        arguments: [("rpmdb.sqlite", RPMDatabase.Format.sqlite), ("Packages", .berkeley), ("Packages.db", .ndb)],
        ["usr/lib/sysimage/rpm", "var/lib/rpm", "usr/share/rpm"])
    func places(file: (String, RPMDatabase.Format), place: String) async throws {
        let (found, _) = try await find([(.file("./\(place)/\(file.0)"), "db")])
        guard case .found(let database) = found else { return #expect(Bool(false), "\(found)") }
        #expect(database.format == file.1)
        #expect(database.place == place)
        #expect(content(found, file.0) == "db")
    }

    @Test("the topmost layer with a database is the last one that is read")
    func topmost() async throws {
        let (found, read) = try await find(
            [(.file(fedora), "0")], [(.file(fedora), "1"), (.file(fedora + "-wal"), "w")], [(.file("x"), "")])
        #expect(content(found, "rpmdb.sqlite") == "1")
        #expect(content(found, "rpmdb.sqlite-wal") == "w")
        #expect(read == [2, 1])
    }

    @Test("the -wal file of an upper layer belongs to the database of a lower one")
    func upperWAL() async throws {
        let (found, _) = try await find([(.file(fedora), "0")], [(.file(fedora + "-wal"), "w")])
        #expect(content(found, "rpmdb.sqlite") == "0")
        #expect(content(found, "rpmdb.sqlite-wal") == "w")
    }

    @Test("a whiteout of the -wal file in an upper layer hides it")
    func hiddenWAL() async throws {
        let (found, _) = try await find(
            [(.file(fedora), "0"), (.file(fedora + "-wal"), "w")], [(.file("usr/lib/sysimage/rpm/.wh.rpmdb.sqlite-wal"), "")])
        #expect(content(found, "rpmdb.sqlite") == "0")
        #expect(content(found, "rpmdb.sqlite-wal") == nil)
    }

    @Test(
        "a database that an upper layer hides is gone",
        arguments: [
            "usr/lib/sysimage/rpm/.wh.rpmdb.sqlite", "usr/lib/sysimage/.wh.rpm", ".wh.usr", "usr/lib/.wh..wh..opq", ".wh..wh..opq",
            "usr/lib/sysimage/rpm", "usr/lib",
        ])
    func hidden(by path: String) async throws {
        #expect(try await find([(.file(fedora), "0")], [(.file(path), "")]).0 == .none)
    }

    @Test("no layer below an opaque root directory is read")
    func opaqueRoot() async throws {
        #expect(try await find([(.file(fedora), "0")], [(.file(".wh..wh..opq"), "")]).read == [1])
    }

    @Test("an opaque directory does not hide the files of its own layer")
    func opaqueWithNew() async throws {
        let (found, _) = try await find(
            [(.file(fedora), "0")], [(.file(fedora), "1"), (.file("usr/lib/sysimage/rpm/.wh..wh..opq"), "")])
        #expect(content(found, "rpmdb.sqlite") == "1")
    }

    @Test("a symbolic link from the old place to the new one is no obstacle")
    func symbolicLink() async throws {
        let link = TarEntry.link(.symbolicLink, "var/lib/rpm", to: "../../usr/lib/sysimage/rpm")
        let (found, _) = try await find([(.file(fedora), "0"), (link, "")])
        #expect(content(found, "rpmdb.sqlite") == "0")
        #expect(try await find([(.file("x"), "0"), (link, "")]).0 == .none)
    }

    @Test("a symbolic link to a place that is not known makes the contents unknown, never none")
    func unknownPlace() async throws {
        let (found, _) = try await find([(.link(.symbolicLink, "var/lib/rpm", to: "/opt/rpm"), "")])
        #expect(found == .unknown(#""var/lib/rpm" is a symbolic link to "/opt/rpm", where no rpm database is looked for."#))
    }

    @Test("a database that is a hard link to another file is read, as ostree makes it")
    func hardLink() async throws {
        let (found, read) = try await find([
            (.file("sysroot/ostree/repo/objects/ab/cd.file"), "db"),
            (.link(.hardLink, "usr/share/rpm/rpmdb.sqlite", to: "sysroot/ostree/repo/objects/ab/cd.file"), ""),
        ])
        #expect(content(found, "rpmdb.sqlite") == "db")
        #expect(read == [0, 0])
    }

    @Test("a hard link to a file of another layer makes the contents unknown")
    func hardLinkToLowerLayer() async throws {
        let (found, _) = try await find([(.file("x"), "db")], [(.link(.hardLink, "usr/share/rpm/rpmdb.sqlite", to: "x"), "")])
        #expect(found == .unknown("usr/share/rpm/rpmdb.sqlite is a hard link to a file of another layer."))
    }

    @Test("an image without a database has none")
    func none() async throws {
        let (found, read) = try await find([(.file("a"), "0")], [(.file("b"), "1")])
        #expect(found == .none)
        #expect(read == [1, 0])
    }

    @Test("a database that is too large is refused")
    func tooLarge() async throws {
        let error = await #expect(throws: ImageArchiveError.self) {
            _ = try await find([(.file(fedora), String(repeating: "x", count: 1001))])
        }
        #expect(error?.message == "The rpm database of the image has more than 1000 bytes, the most that is read.")
    }
}
