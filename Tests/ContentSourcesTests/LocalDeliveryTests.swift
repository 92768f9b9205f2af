import ComposeModel
import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Delivering packages from this host's disks")
struct LocalDeliveryTests {
    private func with(_ body: (Workbench, TestRepository, PinnedRepository) async throws -> Void) async throws {
        try await Workbench.with { bench in
            let repository = try await TestRepository(bench.sources.appending("repo"))
            try await body(bench, repository, try await bench.source().pinAndFetch(.directory(repository.directory)))
        }
    }

    @Test("on the same file system it is the same file")
    func hardlink() async throws {
        try await with { bench, repository, pinned in
            let place = bench.tree.appending("Packages/e/ed.rpm")
            let delivery = try bench.delivery()
            // The second time the name is there already, the third time for another file: then it means the new one.
            for name in ["ed", "ed", "joe"] {
                #expect(try await delivery.deliver(repository.record(name), of: pinned, to: place) == .hardlink)
                #expect(try place.inode == repository.file(name).inode)
            }
            #expect(try bench.names(in: bench.tree.appending("Packages/e")) == ["ed.rpm"])
        }
    }

    @Test("on another file system it is a copy", .enabled(if: Self.hasOtherFileSystem, "/dev/shm is no file system of its own here"))
    func copy() async throws {
        try await with { bench, repository, pinned in
            let tree = FilePath("/dev/shm/odcs-sources-\(UUID().uuidString)")
            defer { do { try FileManager.default.removeItem(atPath: tree.string) } catch { Issue.record(error) } }
            let delivery = try bench.delivery()
            #expect(try await delivery.deliver(repository.record("big"), of: pinned, to: tree.appending("big.rpm")) == .copy)
            #expect(try tree.appending("big.rpm").contents() == repository.file("big").contents())
            #expect(try bench.names(in: tree) == ["big.rpm"])
        }
    }

    @Test("a file that not everybody may read is copied, and the copy can be read by everybody")
    func closed() async throws {
        try await with { bench, repository, pinned in
            let place = bench.tree.appending("Packages/e/ed.rpm")
            let delivery = try bench.delivery()
            for mode: mode_t in [0o640, 0o600] {
                chmod(repository.file("ed").string, mode)
                // The second time, the name is taken by the copy of the first.
                #expect([.copy, .reflink].contains(try await delivery.deliver(repository.record("ed"), of: pinned, to: place)))
                #expect(try place.stat().rawValue.st_mode & 0o7777 == 0o644)
                #expect(try repository.file("ed").stat().rawValue.st_mode & 0o7777 == mode)
                #expect(try place.contents() == repository.file("ed").contents())
            }
            #expect(try bench.names(in: bench.tree.appending("Packages/e")) == ["ed.rpm"])
        }
    }

    private static var hasOtherFileSystem: Bool {
        let temporary = FilePath(FileManager.default.temporaryDirectory.path)
        guard let here = try? temporary.stat(), let there = try? FilePath("/dev/shm").stat() else { return false }
        return here.rawValue.st_dev != there.rawValue.st_dev
    }

    @Test("a missing, shorter, longer or changed file is refused with package, place and difference")
    func unusable() async throws {
        try await with { bench, repository, pinned in
            let delivery = try bench.delivery()
            let record = try repository.record("ed")
            let content = try repository.file("ed").contents()
            let changed = content.dropLast() + [content[content.count - 1] &+ 1]
            try bench.sources.appending("changed").write(Array(changed))
            let found = try FileChecksum.of(bench.sources.appending("changed"), .sha256)
            for (bytes, reason) in [
                (nil, "it does not exist"), (Array(content.dropLast(7)), "it has \(content.count - 7) bytes instead of \(content.count)"),
                (content + [1], "it has \(content.count + 1) bytes instead of \(content.count)"),
                (Array(changed), "it has the checksum \(found) instead of \(record.pkgid)"),
            ] {
                unlink(repository.file("ed").string)
                if let bytes { try repository.file("ed").write(bytes) }
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await delivery.deliver(record, of: pinned, to: bench.tree.appending("ed.rpm"))
                }
                #expect(
                    failure
                        == ComposeFailure(
                            .packageFileUnusable,
                            "The file of the package ed-1.0-1.noarch (ed-1.0-1.noarch.rpm) in the repository \(repository.directory) cannot be used: "
                                + "\(reason).",
                            details: [.init(package: "ed-1.0-1.noarch", arch: "noarch", text: "ed-1.0-1.noarch.rpm: \(reason)")]))
                #expect(try bench.names(in: bench.tree) == [])
            }
            // Without verification the size alone counts.
            #expect(try await bench.delivery(verify: false).deliver(record, of: pinned, to: bench.tree.appending("ed.rpm")) == .hardlink)
        }
    }

    @Test("an href or base that leads out, a link out, and a pipe are refused")
    func escapes() async throws {
        try await with { bench, repository, pinned in
            let delivery = try bench.delivery()
            let record = try repository.record("ed")
            try bench.outside.appending("ed-1.0-1.noarch.rpm").write(repository.file("ed").contents())
            try FileManager.default.createSymbolicLink(
                atPath: repository.directory.appending("link.rpm").string, withDestinationPath: "../../outside/ed-1.0-1.noarch.rpm")
            mkfifo(repository.directory.appending("pipe.rpm").string, 0o644)
            let out = "its path leads out of the directories that this service may read"
            for (href, base, reason) in [
                ("../../outside/ed-1.0-1.noarch.rpm", nil, out), ("link.rpm", nil, out), ("pipe.rpm", nil, "it is not a regular file"),
                ("%2e%2e/%2e%2e/outside/ed-1.0-1.noarch.rpm", nil, out), ("ed-1.0-1.noarch.rpm", "../../outside", out),
                (
                    "ed-1.0-1.noarch.rpm", "file://\(bench.outside)",
                    "the metadata says that it lies in a directory that this service may not read"
                ),
                ("ed-1.0-1.noarch.rpm", "ftp://h/", "the metadata says that it lies somewhere else, at an address that cannot be used"),
                ("ed.rpm\n", nil, "its location in the metadata contains a control character"),
            ] {
                let forged = PackageRecord(
                    nevra: record.nevra, pkgid: record.pkgid, repository: record.repository, location: href, base: base, size: record.size,
                    sourceRPM: nil)
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await delivery.deliver(forged, of: pinned, to: bench.tree.appending("ed.rpm"))
                }
                #expect(failure?.code == .packageFileUnusable)
                #expect(failure?.message.hasSuffix("cannot be used: \(reason).") == true, "\(failure?.message ?? "")")
                #expect(try bench.names(in: bench.tree) == [])
            }
        }
    }

    @Test("a package whose size the repository does not say is known by its checksum")
    func unknownSize() async throws {
        try await with { bench, repository, pinned in
            let ed = try repository.record("ed")
            let unsized = PackageRecord(
                nevra: ed.nevra, pkgid: ed.pkgid, repository: ed.repository, location: ed.location, size: 0, sourceRPM: nil)
            #expect(try await bench.delivery().deliver(unsized, of: pinned, to: bench.tree.appending("ed.rpm")) == .hardlink)
            let other = PackageRecord(
                nevra: ed.nevra, pkgid: try repository.record("joe").pkgid, repository: ed.repository, location: ed.location, size: 0,
                sourceRPM: nil)
            await #expect(throws: ComposeFailure.self) {
                try await bench.delivery().deliver(other, of: pinned, to: bench.tree.appending("other.rpm"))
            }
        }
    }

    @Test("of a file beside the repository that cannot be used, or that not everybody may read, nothing is told")
    func filesBesideTheRepository() async throws {
        try await with { bench, repository, pinned in
            let ed = try repository.record("ed")
            let folder = bench.sources.appending("private")
            try folder.createDirectory()
            try folder.appending("key").write("a secret of 23 bytes...")
            try folder.appending("shown").write("a secret of 23 bytes...")
            chmod(folder.appending("key").string, 0o600)
            try FileManager.default.createSymbolicLink(
                atPath: repository.directory.appending("link").string, withDestinationPath: "../private/key")
            let checksum = try FileChecksum.of(folder.appending("key"), .sha256)
            let places: [(href: String, base: String?)] = [
                ("key", "\(folder)"), ("key", "file://\(folder)"), ("../private/key", nil), ("key", "../private"), ("link", nil),
                ("none", "\(folder)"), ("../private/none", nil), ("../private", nil),
            ]
            for (href, base) in places {
                for (size, pkgid) in [(1, ed.pkgid), (23, ed.pkgid), (23, checksum)] {
                    let record = PackageRecord(
                        nevra: ed.nevra, pkgid: pkgid, repository: ed.repository, location: href, base: base, size: size, sourceRPM: nil)
                    let failure = await #expect(throws: ComposeFailure.self) {
                        try await bench.delivery().deliver(record, of: pinned, to: bench.tree.appending("ed.rpm"))
                    }
                    #expect(failure?.message.hasSuffix("cannot be used: it does not exist.") == true, "\(failure?.message ?? "")")
                }
            }
            for (size, pkgid) in [(1, ed.pkgid), (23, ed.pkgid)] {
                let record = PackageRecord(
                    nevra: ed.nevra, pkgid: pkgid, repository: ed.repository, location: "shown", base: "\(folder)", size: size,
                    sourceRPM: nil)
                let failure = await #expect(throws: ComposeFailure.self) {
                    try await bench.delivery().deliver(record, of: pinned, to: bench.tree.appending("ed.rpm"))
                }
                #expect(failure?.message.hasSuffix("cannot be used: it does not exist.") == true)
            }
            #expect(try bench.names(in: bench.tree) == [])
        }
    }

    @Test("a base that may be read, a link that stays inside and an escaped href are followed")
    func elsewhere() async throws {
        try await with { bench, repository, pinned in
            let delivery = try bench.delivery()
            let record = try repository.record("ed")
            try bench.sources.appending("pool").createDirectory()
            try FileManager.default.moveItem(
                atPath: repository.file("ed").string, toPath: bench.sources.appending("pool/a+b ed.rpm").string)
            try FileManager.default.createSymbolicLink(atPath: repository.directory.appending("top").string, withDestinationPath: "..")
            for (href, base) in [
                ("a+b ed.rpm", "file://\(bench.sources)/pool"), ("top/pool/a%2Bb%20ed.rpm", nil), ("a+b ed.rpm", "../pool/"),
            ] {
                let moved = PackageRecord(
                    nevra: record.nevra, pkgid: record.pkgid, repository: record.repository, location: href, base: base, size: record.size,
                    sourceRPM: nil)
                #expect(try await delivery.deliver(moved, of: pinned, to: bench.tree.appending("ed.rpm")) == .hardlink)
            }
        }
    }

    @Test("a file that was verified is not read again, and a changed one is")
    func verifiedOnce() async throws {
        try await with { bench, repository, pinned in
            let delivery = try bench.delivery()
            let record = try repository.record("ed")
            let file = repository.file("ed")
            let content = try file.contents()
            _ = try await delivery.deliver(record, of: pinned, to: bench.tree.appending("1.rpm"))
            // The same size and time: only reading it would tell. That it is not noticed shows that it was not read.
            let before = try file.stat()
            let descriptor = try FileDescriptor.open(file, .writeOnly)
            try descriptor.writeAll([content[0] &+ 1])
            var times = [before.rawValue.st_atim, before.rawValue.st_mtim]
            #expect(futimens(descriptor.rawValue, &times) == 0)
            try descriptor.close()
            _ = try await delivery.deliver(record, of: pinned, to: bench.tree.appending("2.rpm"))
            times[1].tv_sec += 1
            #expect(utimensat(AT_FDCWD, file.string, &times, 0) == 0)
            await #expect(throws: ComposeFailure.self) { try await delivery.deliver(record, of: pinned, to: bench.tree.appending("3.rpm")) }
        }
    }

    @Test("many are delivered at once, and unusable ones are named together")
    func many() async throws {
        try await with { bench, repository, pinned in
            let delivery = try bench.delivery()
            let record = try repository.record("ed")
            var items: [(record: PackageRecord, destination: FilePath)] = []
            for number in 0..<1000 {
                let directory = "\(number % 10)"
                try repository.directory.appending(directory).createDirectory()
                let href = "\(directory)/ed-\(number).rpm"
                #expect(link(repository.file("ed").string, repository.directory.appending(href).string) == 0)
                let copy = PackageRecord(
                    nevra: NEVRA(name: "ed", version: "\(number)", release: "1", arch: "noarch"), pkgid: record.pkgid,
                    repository: record.repository, location: href, size: record.size, sourceRPM: nil)
                items.append((copy, bench.tree.appending(href)))
            }
            #expect(try await delivery.deliver(all: items, of: pinned) == [.hardlink: 1000])
            #expect(try bench.names(in: bench.tree.appending("3")).count == 100)

            for number in [7, 500, 999] { unlink(repository.directory.appending("\(number % 10)/ed-\(number).rpm").string) }
            let failure = await #expect(throws: ComposeFailure.self) { try await delivery.deliver(all: items, of: pinned) }
            #expect(failure?.code == .packageFileUnusable)
            #expect(Set(failure?.details.compactMap(\.package) ?? []) == ["ed-7-1.noarch", "ed-500-1.noarch", "ed-999-1.noarch"])
            #expect(failure?.message.hasPrefix("3 package files in the repository \(repository.directory) cannot be used.") == true)

            try FileManager.default.removeItem(atPath: repository.directory.string)
            let hopeless = await #expect(throws: ComposeFailure.self) { try await delivery.deliver(all: items, of: pinned) }
            #expect(hopeless?.message.hasPrefix("At least ") == true)
            #expect(try #require(hopeless).details.count < 200)
        }
    }
}
