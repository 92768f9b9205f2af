import ComposeModel
import Compression
import Depsolve
import Foundation
import Repodata
import Testing

@testable import ComposeWorker

@Suite("compose.lock.json")
struct LockFileTests {
    @Test("each reason of a package is written into the lock file as it is encoded anywhere else")
    func reasons() throws {
        let nevra = NEVRA(name: "ed", epoch: 1, version: "1.20", release: "3", arch: "x86_64")
        let reasons: [Reason] = [
            .requested(by: "e*"), .builtFrom(source: "ed", pattern: "ed.src"), .requiredBy(nevra, requirement: "libc.so.6()(64bit)"),
            .module("a:b:1:c"), .everything, .multilib(of: nevra), .sourceOf(nevra), .debugOf(nevra),
        ]
        let digest = Checksum(.sha256, hex: String(repeating: "0a", count: 32))
        let record = PackageRecord(
            nevra: nevra, pkgid: digest, repository: digest, location: "e/ed.rpm", size: 12, sourceRPM: nil)
        let lock = LockFile(
            ComposeRequest(sourceType: .repo, source: ["/r"], arches: ["x86_64"], secondsToLive: 1), pins: ComposePins(),
            resolution: Resolution(trees: [], sources: [], absent: [], missing: [], problems: []),
            content: PackageSet(repositories: [], lookaside: []), modules: ComposedModules(),
            packages: reasons.map { .init(resolved: ResolvedPackage(record: record, reason: $0), path: "x86_64/os/ed.rpm", module: "a:b") })

        struct Read: Decodable {
            struct Package: Decodable {
                let nevra: String
                let checksum: Checksum
                let size: Int
                let repomd: Checksum
                let location: String
                let path: String
                let reason: Reason
                let why: String
                let module: String?
            }
            let version: Int
            let packages: [Package]
        }
        let text = try lock.text()
        #expect(
            String(decoding: text, as: UTF8.self).split(separator: "\n").count(where: { $0.contains("ed-1:1.20-3.x86_64") })
                == reasons.count)
        let read = try JSONDecoder().decode(Read.self, from: Data(text))
        #expect(read.version == 1)
        #expect(read.packages.map(\.reason) == reasons)
        #expect(read.packages.map(\.why) == reasons.map(\.description))
        let first = try #require(read.packages.first)
        #expect(first.nevra == "ed-1:1.20-3.x86_64")
        #expect([first.checksum, first.repomd] == [digest, digest])
        #expect(first.size == 12)
        #expect(first.module == "a:b")
        #expect([first.location, first.path] == ["e/ed.rpm", "x86_64/os/ed.rpm"])
    }
}
