import Foundation
import Glibc
import SystemPackage
import Testing

@testable import ContentSources

@Suite("Files below an allowed directory")
struct ConfinedPathTests {
    /// `sources/repo/file` may be read, `outside/secret` may not.
    private func with(_ body: (Workbench, ConfinedPath) async throws -> Void) async throws {
        try await Workbench.with { bench in
            try bench.sources.appending("repo").createDirectory()
            try bench.sources.appending("repo/file").write("inside")
            try bench.outside.appending("secret").write("secret")
            try await body(bench, try #require(bench.access().confine(bench.sources.appending("repo"))))
        }
    }

    private func link(_ path: FilePath, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: target)
    }

    @Test("a file is opened, also by links and steps upwards that stay inside")
    func inside() async throws {
        try await with { bench, repo in
            try link(bench.sources.appending("repo/link"), to: "../repo/file")
            for href in ["file", "/file", "./file", "link", "../repo/file"] {
                #expect(try repo.appending(href).open().size == 6, "\(href)")
            }
        }
    }

    @Test("no step upwards and no link leads out, whether relative or absolute, to a file or by a directory")
    func outside() async throws {
        try await with { bench, repo in
            try link(bench.sources.appending("repo/relative"), to: "../../outside/secret")
            try link(bench.sources.appending("repo/absolute"), to: bench.outside.appending("secret").string)
            try link(bench.sources.appending("repo/directory"), to: "../../outside")
            try link(bench.sources.appending("repo/chain"), to: "relative")
            try link(bench.sources.appending("repo/process"), to: "/proc/self/root/etc/passwd")
            for href in ["../../outside/secret", "relative", "absolute", "directory/secret", "chain", "process", "../../../../etc/passwd"] {
                #expect(throws: ConfinedPath.Refusal.leadsOut, "\(href)") { try repo.appending(href).open() }
            }
        }
    }

    @Test("of a Koji's tree the volumes may be links to anywhere, out of which nothing leads; other links may not lead out")
    func volumes() async throws {
        try await with { bench, repo in
            try bench.outside.appending("packages").createDirectory()
            try bench.outside.appending("packages/file").write("volume")
            try bench.sources.appending("vol").createDirectory()
            try link(bench.sources.appending("vol/far"), to: bench.outside.appending("packages").string)
            try link(bench.outside.appending("packages/out"), to: "../secret")
            try link(bench.sources.appending("absolute"), to: bench.outside.appending("packages").string)
            let koji = try #require(bench.access().followingVolumes.confine(bench.sources))
            #expect(try koji.appending("vol/far/file").open().size == 6)
            for href in ["vol/far/out", "vol/far/../secret", "absolute/file", "vol/../absolute/file", "vol/far/../../outside/secret"] {
                #expect(throws: ConfinedPath.Refusal.leadsOut, "\(href)") { try koji.appending(href).open() }
            }
            #expect(throws: ConfinedPath.Refusal.leadsOut) { try repo.appending("../vol/far/file").open() }
        }
    }

    @Test("a pipe, a directory and a device are no files, and opening them does not wait")
    func notAFile() async throws {
        try await with { bench, repo in
            mkfifo(bench.sources.appending("repo/pipe").string, 0o644)
            for href in ["pipe", "", "."] {
                #expect(throws: ConfinedPath.Refusal.notAFile) { try repo.appending(href).open() }
            }
            let devices = ConfinedPath(root: "/dev", relative: "null")
            #expect(throws: ConfinedPath.Refusal.notAFile) { try devices.open() }
            #expect(throws: ConfinedPath.Refusal.system(.noSuchFileOrDirectory)) { try repo.appending("none").open() }
        }
    }

    @Test("a link that is exchanged again and again while files are opened never leads out", .timeLimit(.minutes(2)))
    func exchangedLink() async throws {
        try await with { bench, repo in
            try link(bench.sources.appending("repo/link"), to: "file")
            try await withThrowingTaskGroup { group in
                group.addTask {
                    // By rename, so that the name always exists.
                    let link = bench.sources.appending("repo/link").string
                    let next = bench.sources.appending("repo/next").string
                    while !Task.isCancelled {
                        for target in ["../../outside/secret", "file"] {
                            symlink(target, next)
                            rename(next, link)
                        }
                    }
                }
                var outcomes: [String: Int] = [:]
                var openings = 0
                // Until both happened as well: else the race was none.
                while openings < 20_000 || outcomes.count < 2 {
                    openings += 1
                    if openings.isMultiple(of: 1000) { await Task.yield() }
                    do {
                        let bytes = try repo.appending("link").open().read { descriptor in
                            (try? RegularFile.contents(of: descriptor, atMost: 100)) ?? []
                        }
                        outcomes[String(decoding: bytes, as: UTF8.self), default: 0] += 1
                    } catch ConfinedPath.Refusal.leadsOut {
                        outcomes["refused", default: 0] += 1
                    }
                }
                group.cancelAll()
                try await group.waitForAll()
                #expect(Set(outcomes.keys) == ["inside", "refused"])
            }
        }
    }
}

extension ConfinedPath {
    /// Opens one file.
    func open() throws(Refusal) -> OpenFile {
        var directory: AllowedDirectory?
        return try open(in: &directory)
    }
}
