import ComposeModel
import Compression
import Foundation
import Repodata
import Subprocess
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Metadata of Koji's packages, made from their headers")
struct KojiMetadataTests {
    private func with(_ body: (Workbench, KojiTree, KojiPackageSource) async throws -> Void) async throws {
        try await Workbench.with { bench in
            let tree = try await KojiTree(bench.sources.appending("topdir"))
            try await body(bench, tree, bench.koji(.directory(tree.topdir)))
        }
    }

    private func index(_ repository: PinnedRepository) throws -> MetadataIndex { try MetadataIndex(opening: repository.metadata) }

    /// What does not depend on where the file lies and when it was copied there.
    private func comparable(_ primary: [UInt8]) -> String {
        String(decoding: primary, as: UTF8.self)
            .replacing(#/<location href="[^"]*"/>/#, with: "").replacing(#/<time file="[0-9]*"/#, with: "<time")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func text(_ bytes: [UInt8]?) -> String {
        String(decoding: bytes ?? [], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test("for solving, every package of the list is there under its provisional id, where its file lies")
    func solving() async throws {
        try await with { _, tree, source in
            let repository = try await source.metadata(of: tree.packages)
            #expect(repository.location == .directory(tree.topdir))
            let index = try index(repository)
            #expect(tree.packages.count > 80)
            #expect(index.count == tree.packages.count)
            #expect(!repository.metadata.hasOther)
            for package in tree.packages {
                let primary = text(try index.chunks(of: package.provisionalID).primary)
                #expect(primary.contains("<name>\(package.nevra.name)</name>"))
                #expect(primary.contains("<location href=\"\(package.path)\"/>"))
            }
        }
    }

    @Test("an answer that differs little from an older one of the same question is a layer with the packages of the whole")
    func layer() async throws {
        try await with { bench, tree, source in
            let first = try await source.metadata(of: tree.packages, answering: "tag 1")
            #expect(first.metadata.base == nil)
            // The solver makes these files.
            _ = try index(first)
            try first.metadata.directory.appending("pool.solv").write("the packages")
            let changed = Array(tree.packages.dropFirst(2).dropLast(1))
            let layer = try await source.metadata(of: changed, answering: "tag 1")
            #expect(layer.metadata.base == first.metadata.id)
            #expect(try await source.metadata(of: changed, answering: "tag 1") == layer)
            let whole = try await bench.koji(.directory(tree.topdir), cache: "another").metadata(of: changed)
            #expect(whole.metadata.base == nil)
            #expect(whole.metadata.id == layer.metadata.id)
            let (found, expected) = (try index(layer), try index(whole))
            #expect(found.count == expected.count)
            for package in changed {
                let (ours, theirs) = (try found.chunks(of: package.provisionalID), try expected.chunks(of: package.provisionalID))
                #expect(ours.primary == theirs.primary)
                #expect(ours.filelists == theirs.filelists)
            }
            // Half of the packages are too many differences, and another question has no older answer.
            let half = Array(tree.packages.dropFirst(tree.packages.count / 2))
            #expect(try await source.metadata(of: half, answering: "tag 1").metadata.base == nil)
            #expect(try await source.metadata(of: Array(changed.dropFirst()), answering: "tag 2").metadata.base == nil)
        }
    }

    @Test("for writing, the metadata of each file, signed or not, is what createrepo_c says of that file")
    func writing() async throws {
        try await with { bench, tree, source in
            try await execute("createrepo_c", ["--quiet", "--no-database", tree.topdir.string])
            let expected = try index(
                try await bench.source(cache: bench.directory.appending("expected")).pinAndFetch(.directory(tree.topdir)))
            var compared = 0
            for key in ["", "0b3e5524", "b0234768"] {
                let choice = try await source.copies(of: tree.packages, signedBy: [key])
                #expect(choice.copies.count + choice.unsigned.count == tree.packages.count)
                let chosen = try await source.metadata(ofChosen: choice.copies)
                let found = try index(chosen.repository)
                #expect(found.count == choice.copies.count)
                for copy in chosen.copies.values {
                    let pkgid = try FileChecksum.of(tree.file(copy.package, key: key), .sha256)
                    #expect(copy.sha256 == pkgid)
                    let (ours, theirs) = (try found.chunks(of: pkgid), try expected.chunks(of: pkgid))
                    #expect(comparable(ours.primary) == comparable(theirs.primary))
                    #expect(text(ours.primary).contains("<location href=\"\(copy.path)\"/>"))
                    #expect(text(ours.filelists) == text(theirs.filelists))
                    #expect(text(ours.other) == text(theirs.other))
                    compared += 1
                }
            }
            #expect(compared == tree.packages.count + 86)
        }
    }

    @Test("a package of the metadata for solving is found as the file that was chosen for it, and that is delivered; dnf reads the result")
    func delivered() async throws {
        try await with { bench, tree, source in
            let all = try await source.metadata(of: tree.packages)
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            let record = PackageRecord(
                nevra: package.nevra, pkgid: package.provisionalID, repository: all.metadata.id, location: package.path,
                size: package.size ?? 0, sourceRPM: "ed-1.14.3-1.fc26.src.rpm")
            #expect(KojiPackage.chosen(by: [record], among: tree.packages) == [package])
            let choice = try await source.copies(of: [package], signedBy: ["B0234768"])
            let chosen = try await source.metadata(ofChosen: choice.copies)
            let found = try #require(chosen.record(for: record))
            #expect(found.location == "packages/ed/1.14.3/1.fc26/data/signed/b0234768/x86_64/ed-1.14.3-1.fc26.x86_64.rpm")
            #expect(found.pkgid.hex == "f86f1206d924c7476e2ef72e2e74ea92e8b390c71c4e86aa58b7d0f41b106849")
            #expect(found.sourceRPM == record.sourceRPM)

            let result = bench.tree.appending("result")
            let href = "Packages/\(try package.nevra.filename)"
            _ = try await bench.delivery().deliver(found, of: chosen.repository, to: result.appending(href))
            var writer = try RepositoryWriter(
                directory: result, packageCount: 1, options: RepositoryWriter.Options(revision: "1", timestamp: 1))
            try writer.add(found, from: try index(chosen.repository), href: href)
            _ = try writer.finish()
            let answer = try await Subprocess.run(
                .name("dnf"),
                arguments: [
                    "--quiet", "--setopt=reposdir=/nonexistent", "--setopt=cachedir=\(bench.directory)/dnf", "--releasever=26",
                    "--forcearch=x86_64",
                    "--repofrompath=koji,file://\(result)", "--repo=koji", "repoquery", "--queryformat",
                    "%{name}-%{evr}.%{arch} %{location} %{size}",
                ], output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
            let size = try tree.file(package, key: "b0234768").stat().size
            #expect(answer.standardOutput == "ed-1.14.3-1.fc26.x86_64 \(href) \(size)\n", "\(answer.standardError)")
        }
    }

    @Test("the same packages in another order are the same repository, and nothing is read for it")
    func unchanged() async throws {
        try await with { bench, tree, source in
            let first = try await source.metadata(of: tree.packages)
            try FileManager.default.removeItem(atPath: tree.topdir.appending("packages").string)
            try FileManager.default.removeItem(atPath: bench.directory.appending("headers").string)
            #expect(try await source.metadata(of: tree.packages.reversed() + tree.packages) == first)
        }
    }

    @Test("a header is read once ever, by whichever worker, also for a list that differs by then")
    func readOnce() async throws {
        try await with { bench, tree, source in
            _ = try await source.metadata(of: tree.packages)
            try FileManager.default.removeItem(atPath: tree.topdir.appending("packages").string)
            let other = try bench.koji(.directory(tree.topdir), cache: "another")
            let repository = try await other.metadata(of: tree.packages.dropLast())
            #expect(try index(repository).count == tree.packages.count - 1)
        }
    }

    @Test(
        "a file is read for its checksum once as long as it stays the same, and anew when it was replaced; its payload has to be the hub's")
    func checksums() async throws {
        try await with { bench, tree, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            let file = tree.file(package)
            let first = try await source.metadata(ofChosen: try await source.copies(of: [package], signedBy: [""]).copies)
            let status = try file.stat()
            // Other bytes that look like the same file show that the file is not read again.
            var bytes = try file.contents()
            bytes[bytes.count - 1] ^= 1
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.string)
            try file.write(bytes)
            var times = [status.st_mtim, status.st_mtim]
            utimensat(AT_FDCWD, file.string, &times, 0)
            let again = try await source.metadata(ofChosen: try await source.copies(of: [package], signedBy: [""]).copies)
            #expect(again.copies == first.copies)
            times[1].tv_sec += 1
            utimensat(AT_FDCWD, file.string, &times, 0)
            let copies = try await source.copies(of: [package], signedBy: [""]).copies
            let failure = await #expect(throws: ComposeFailure.self) { try await source.metadata(ofChosen: copies) }
            #expect(failure?.code == .packageFileUnusable)
            let hash = try #require(package.payloadHash)
            #expect(failure?.message.contains("it is damaged: the hub says that its payload hash is \(hash), but") == true)
        }
    }

    @Test("a file that has not the size that the hub says is refused when it is chosen")
    func otherSize() async throws {
        try await with { _, tree, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            let bytes = try tree.file(package).contents()
            for (changed, size) in [(Array(bytes.dropLast(10)), bytes.count - 10), (bytes + [0], bytes.count + 1)] {
                try tree.file(package).write(changed)
                let failure = await #expect(throws: ComposeFailure.self) { try await source.copies(of: [package], signedBy: [""]) }
                #expect(failure?.message.hasSuffix(" cannot be used: it has \(size) bytes instead of \(bytes.count).") == true)
            }
        }
    }

    @Test("the word of the hub on a checksum is taken, and the file not read")
    func givenChecksum() async throws {
        try await with { _, tree, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            var copies = try await source.copies(of: [package], signedBy: [""]).copies
            let word = Checksum(.sha256, hex: String(repeating: "ab", count: 32))
            copies[0].sha256 = word
            let chosen = try await source.metadata(ofChosen: copies)
            #expect(try index(chosen.repository).contains(word))
        }
    }

    @Test("the file of a task has metadata too, although the hub knows neither its epoch nor its payload")
    func task() async throws {
        try await with { bench, tree, source in
            let package = try tree.package("foo-2.0-1.fc26.x86_64")
            try FileManager.default.createDirectory(
                atPath: tree.topdir.appending("work/tasks/5/5").string, withIntermediateDirectories: true)
            let file = "\(try package.nevra.filename)"
            let path = "work/tasks/5/5/\(file)"
            try FileManager.default.copyItem(atPath: tree.file(package).string, toPath: tree.topdir.appending(path).string)
            let scratch = try KojiPackage(
                nevra: try #require(NEVRA(file)), build: "task 5", place: .task(file: try KojiPath(path)),
                payloadHash: nil)
            _ = try await source.metadata(of: [scratch])
            let choice = try await source.copies(of: [scratch], signedBy: ["0b3e5524", ""])
            let chosen = try await source.metadata(ofChosen: choice.copies)
            #expect(try index(chosen.repository).contains(try FileChecksum.of(tree.file(package), .sha256)))
        }
    }

    // MARK: Bad files

    private func failure(_ source: KojiPackageSource, _ packages: [KojiPackage]) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) { try await source.metadata(of: packages) }
    }

    /// What can be wrong with the file of ed-1.14.3-1.fc26.x86_64.
    enum Damage: CaseIterable, Sendable {
        case missing, empty, lead, garbage, cut, flipped, huge, other, directory, link

        var reason: String {
            switch self {
            case .missing: "it does not exist"
            case .empty: "it ends inside of its header, after 0 bytes"
            case .lead: "it ends inside of its header, after 96 bytes"
            case .garbage: "it is not an RPM package"
            case .cut: "it ends inside of its header, after 5000 bytes"
            case .flipped: "it is not an RPM package, or damaged"
            case .huge: "it claims a header that ends at byte 34359738464; more than 67108864 are not accepted"
            case .other: "it is the package ed-1.14.2-1.fc26.x86_64"
            case .directory: "it is not a regular file"
            case .link: "its path leads out of the directories that this service may read"
            }
        }

        func apply(to file: FilePath, of tree: KojiTree) throws {
            var bytes = try file.contents()
            try FileManager.default.removeItem(atPath: file.string)
            switch self {
            case .missing: break
            case .empty: try file.write([UInt8]())
            case .lead: try file.write(Array(bytes.prefix(96)))
            case .garbage: try file.write(String(repeating: "<html>", count: 1000))
            case .cut: try file.write(Array(bytes.prefix(5000)))
            case .flipped:
                bytes[5000] ^= 1
                try file.write(bytes)
            case .huge:
                bytes.replaceSubrange(104..<112, with: [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
                try file.write(bytes)
            case .other:
                try FileManager.default.copyItem(
                    atPath: tree.file(try tree.package("ed-1.14.2-1.fc26.x86_64")).string, toPath: file.string)
            case .directory: try file.createDirectory()
            case .link: try FileManager.default.createSymbolicLink(atPath: file.string, withDestinationPath: "/etc/passwd")
            }
        }
    }

    @Test("a file that cannot be used is named with its build, and what is wrong with it", arguments: Damage.allCases)
    func damaged(damage: Damage) async throws {
        try await with { bench, tree, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            try damage.apply(to: tree.file(package), of: tree)
            let failure = await failure(source, tree.packages)
            #expect(
                failure?.message
                    == "The file of the package ed-1.14.3-1.fc26.x86_64 of the build ed-1.14.3-1.fc26 "
                    + "(packages/ed/1.14.3/1.fc26/x86_64/ed-1.14.3-1.fc26.x86_64.rpm) in Koji cannot be used: \(damage.reason).")
            #expect(failure?.code == .packageFileUnusable)
            #expect(failure?.isTransient == false)
            #expect(try bench.names(in: bench.cache).isEmpty)
        }
    }

    @Test("a file whose payload is not the one that the hub knows is refused")
    func otherPayload() async throws {
        try await with { _, tree, source in
            let package = try tree.package("ed-1.14.3-1.fc26.x86_64")
            let changed = try KojiPackage(
                nevra: package.nevra, build: package.build, place: package.place, payloadHash: String(repeating: "0", count: 32))
            let failure = await failure(source, [changed])
            #expect(failure?.message.contains("it is another file of that name: the hub says that its payload hash is 0000") == true)
        }
    }

    @Test("several files that cannot be used are all named")
    func severalDamaged() async throws {
        try await with { _, tree, source in
            for nvra in ["ed-1.14.3-1.fc26.x86_64", "bar-3.2-1.fc26.i686"] {
                try Damage.missing.apply(to: tree.file(try tree.package(nvra)), of: tree)
            }
            let failure = await failure(source, tree.packages)
            #expect(failure?.message.hasPrefix("2 package files in Koji cannot be used.") == true)
            #expect(failure?.details.compactMap(\.package).sorted() == ["bar-3.2-1.fc26.i686", "ed-1.14.3-1.fc26.x86_64"])
        }
    }

    @Test("for some packages of a list, files that cannot be used are left out as long as they are few, and read anew the next time")
    func usable() async throws {
        try await with { bench, tree, source in
            let names = ["ed-1.14.3-1.fc26.x86_64", "bar-3.2-1.fc26.i686"]
            for nvra in names { try Damage.garbage.apply(to: tree.file(try tree.package(nvra)), of: tree) }
            for _ in 0..<2 {
                let (repository, unusable) = try await source.usableMetadata(of: tree.packages)
                #expect(try index(repository).count == tree.packages.count - 2)
                #expect(Set(unusable.map(\.package)) == Set(try names.map(tree.package)))
                #expect(unusable.allSatisfy { $0.failure.message.hasSuffix("cannot be used: it is not an RPM package.") })
            }
            let alone = await #expect(throws: ComposeFailure.self) { try await source.usableMetadata(of: [tree.package(names[0])]) }
            #expect(alone?.code == .packageFileUnusable)

            let original = KojiTree.original
            for nvra in names {
                let package = try tree.package(nvra)
                try tree.file(package).write(original.appending(package.path).contents())
            }
            let (repository, unusable) = try await source.usableMetadata(of: tree.packages)
            #expect(try index(repository).count == tree.packages.count)
            #expect(unusable.isEmpty)

            for package in tree.packages.prefix(20) { try FileManager.default.removeItem(atPath: tree.file(package).string) }
            let another = try bench.koji(.directory(tree.topdir), cache: "another", headers: "other")
            let many = await #expect(throws: ComposeFailure.self) { try await another.usableMetadata(of: tree.packages) }
            #expect(many?.message.hasPrefix("At least 20 package files in Koji cannot be used.") == true)
        }
    }

    @Test("a topdir that this service may not read is refused")
    func notAllowed() async throws {
        try await Workbench.with { bench in
            let tree = try await KojiTree(bench.outside.appending("topdir"))
            let failure = await failure(try bench.koji(.directory(tree.topdir)), tree.packages)
            #expect(failure?.code == .sourceNotUsable)
        }
    }
}
