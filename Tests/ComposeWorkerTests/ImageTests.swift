import ComposeModel
import Compression
import Foundation
import NIOPosix
import Repodata
import SystemPackage
import Testing

@testable import ComposeWorker

@Suite("ISO images")
struct ImageTests {
    private static let packages = ["Packages/e/ed-1.20-3.x86_64.rpm", "Packages/l/libed++-1.1-1.x86_64.rpm"]
    private static let longName = "Packages/l/" + String(repeating: "long-name-", count: 15) + "1-1.noarch.rpm"

    /// The tree of x86_64 below the variant's directory `name`.
    private func makeTree(_ place: Workplace, _ name: String) throws -> FilePath {
        for package in Self.packages {
            let source = checkout.appending("tests-repo/Packages").appending(FilePath(package).lastComponent?.string ?? "")
            try place.write("", to: "\(name)/x86_64/os/\(package)")
            try FileManager.default.removeItem(atPath: place.directory.appending("\(name)/x86_64/os/\(package)").string)
            try FileManager.default.copyItem(
                atPath: source.string, toPath: place.directory.appending("\(name)/x86_64/os/\(package)").string)
        }
        try place.write("long", to: "\(name)/x86_64/os/\(Self.longName)")
        try place.write("<repomd/>", to: "\(name)/x86_64/os/repodata/repomd.xml")
        return place.directory.appending(name)
    }

    private func writer(_ place: Workplace, id: Int = 12, program: String = "xorriso", timestamp: Int = 1_763_700_000) -> ImageWriter {
        ImageWriter(program: program, layout: ComposeLayout(id: id), timestamp: timestamp, log: place.log, threadPool: .singleton)
    }

    @Test("what is read back from the image is what the tree has, and the checksum file is one that sha256sum reads")
    func readBack() async throws {
        try await Workplace.with { place in
            let image = try await writer(place).write(arch: "x86_64", in: makeTree(place, "compose/Temporary"))
            #expect(image.path == "Temporary/x86_64/iso/odcs-12-x86_64.iso")
            #expect(image.volumeID == "odcs-x86_64-20251121")
            let file = "compose/\(image.path)"
            #expect(try place.directory.appending(file).stat().size == Int64(image.size))
            try await place.run("xorriso", ["-osirrox", "on", "-indev", file, "-extract", "/", "back"])
            try await place.run("diff", ["-r", "compose/Temporary/x86_64/os", "back"])
            let sums = try await place.run("sha256sum", ["-c", "SHA256SUM"], in: "compose/Temporary/x86_64/iso")
            #expect(sums == "odcs-12-x86_64.iso: OK\n")
            #expect(try place.text("compose/Temporary/x86_64/iso/SHA256SUM") == "\(image.checksum.hex)  odcs-12-x86_64.iso\n")
            let about = try await place.run("xorriso", ["-indev", file, "-pvd_info"])
            #expect(about.contains("Volume Id    : odcs-x86_64-20251121"))
        }
    }

    @Test("equal trees give equal images, whatever their files' times, the order in which they were made and the number of the compose")
    func reproducible() async throws {
        try await Workplace.with { place in
            let one = try makeTree(place, "one/Temporary")
            let two = place.directory.appending("two/Temporary")
            for path in ([Self.longName, "repodata/repomd.xml"] + Self.packages.reversed()) {
                try place.write("", to: "two/Temporary/x86_64/os/\(path)")
                let target = two.appending("x86_64/os/\(path)")
                try FileManager.default.removeItem(atPath: target.string)
                try FileManager.default.copyItem(atPath: one.appending("x86_64/os/\(path)").string, toPath: target.string)
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1_000_000), .posixPermissions: 0o600], ofItemAtPath: target.string)
            }
            let first = try await writer(place).write(arch: "x86_64", in: one)
            let second = try await writer(place, id: 13).write(arch: "x86_64", in: two)
            #expect(first.checksum == second.checksum)
            let other = try await writer(place, id: 14, timestamp: 1_763_800_000).write(arch: "x86_64", in: two)
            #expect(other.checksum != first.checksum)
        }
    }

    @Test("a time that no image can hold is none", arguments: [0, -5, Int.max])
    func times(timestamp: Int) async throws {
        try await Workplace.with { place in
            let image = try await writer(place, timestamp: timestamp).write(arch: "x86_64", in: makeTree(place, "Temporary"))
            #expect(image.timestamp == 0 && image.volumeID == "odcs-x86_64-19700101")
        }
    }

    @Test("xorriso that is not there, that fails, and that meets a full disk")
    func failures() async throws {
        try await Workplace.with { place in
            let tree = try makeTree(place, "Temporary")
            let absent = await #expect(throws: ComposeFailure.self) {
                try await writer(place, program: "no-xorriso").write(arch: "x86_64", in: tree)
            }
            #expect(
                absent?.message
                    == "An ISO image was asked for, and the program that makes it, xorriso, is not installed on this worker. Its operator can help."
            )
            try place.write(
                "#!/bin/sh\necho 'xorriso : FAILURE : Cannot write' ${17} >&2\nexit 5\n", to: "failing", isProgram: true)
            let failing = place.directory.appending("failing").string
            let failed = await #expect(throws: ComposeFailure.self) {
                try await writer(place, program: failing).write(arch: "x86_64", in: tree)
            }
            #expect(failed?.code == .internal)
            #expect(
                failed?.message.hasPrefix("The ISO image odcs-12-x86_64.iso could not be made: xorriso ended with the status 5, and said: ")
                    == true)
            #expect(failed?.message.contains(place.directory.string) == false)
            #expect(try place.logged.contains { $0.hasPrefix("xorriso: xorriso : FAILURE : Cannot write") })

            try place.write(
                "#!/bin/sh\necho 'libburn : SORRY : write error: No space left on device'\nexit 32\n", to: "full", isProgram: true)
            let full = await #expect(throws: ComposeFailure.self) {
                try await writer(place, program: place.directory.appending("full").string).write(arch: "x86_64", in: tree)
            }
            #expect(full?.code == .storage && full?.isTransient == true)
        }
    }

    @Test("a disk that is full", .enabled("a small disk can be mounted only by root, with CAP_SYS_ADMIN") { await Self.canMount })
    func fullDisk() async throws {
        try await Workplace.with { place in
            let tree = try makeTree(place, "disk/Temporary")
            try await place.run("mkdir", ["disk/Temporary/x86_64/iso"])
            try await place.run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", "disk/Temporary/x86_64/iso"])
            let failure = await #expect(throws: ComposeFailure.self) { try await writer(place).write(arch: "x86_64", in: tree) }
            try await place.run("umount", ["disk/Temporary/x86_64/iso"])
            #expect(failure?.code == .storage)
            #expect(failure?.message == "This service's disk is full. The operator of this service has to make room.")
        }
    }

    private static var canMount: Bool {
        get async {
            do {
                try await Workplace.with { place in
                    try await place.run("mkdir", ["disk"])
                    try await place.run("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", "disk"])
                    try await place.run("umount", ["disk"])
                }
                return true
            } catch {
                return false
            }
        }
    }

    @Test("productmd reads the entry in images.json", .enabled(if: FileManager.default.fileExists(atPath: python)))
    func productmd() async throws {
        try await Workplace.with { place in
            let image = try await writer(place).write(arch: "x86_64", in: makeTree(place, "compose/Temporary"))
            let compose = Compose(
                id: 12, owner: "me", request: ComposeRequest(sourceType: .repo, source: ["/r"], arches: ["x86_64"], secondsToLive: 1),
                source: "/r",
                state: .generating, timeSubmitted: Date(timeIntervalSince1970: 1_763_700_000), timeToExpire: .distantFuture, resultOf: 12)
            let documents = ProductMetadata(
                identity: ComposeIdentity(compose), label: nil, arches: ["x86_64"], packages: [], images: [image]
            ).documents
            for (name, document) in documents { try place.write(String(decoding: document, as: UTF8.self), to: "compose/metadata/\(name)") }
            try place.write(
                """
                import json, sys
                from productmd.compose import Compose
                compose = Compose(sys.argv[1])
                [image] = compose.images.images["Temporary"]["x86_64"]
                image.validate()
                names = ["path", "mtime", "size", "volume_id", "type", "format", "arch", "disc_number", "disc_count", "checksums", "implant_md5",
                         "bootable", "subvariant", "unified"]
                print(json.dumps([{name: getattr(image, name) for name in names}, compose.info.variants["Temporary"].paths.isos]))
                """, to: "read.py")
            let answer = try await place.run(Self.python, ["read.py", place.directory.string])
            let read = try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [NSDictionary])
            #expect(
                read[0] == [
                    "path": image.path, "mtime": 1_763_700_000, "size": image.size, "volume_id": "odcs-x86_64-20251121", "type": "dvd",
                    "format": "iso",
                    "arch": "x86_64", "disc_number": 1, "disc_count": 1, "checksums": ["sha256": image.checksum.hex],
                    "implant_md5": NSNull(),
                    "bootable": false, "subvariant": "Temporary", "unified": false,
                ] as NSDictionary)
            #expect(read[1] == ["x86_64": "Temporary/x86_64/iso"] as NSDictionary)
        }
    }

    /// That of scripts/bootstrap, which has productmd.
    private static var python: String { checkout.appending(".build-venv/bin/python3").string }
}
