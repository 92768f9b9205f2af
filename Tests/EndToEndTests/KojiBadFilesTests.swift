import ComposeModel
import Foundation
import Koji
import ScriptedHub
import SystemPackage
import Testing

/// Packages that Koji lists and whose files are not as they should be.
@Suite(.timeLimit(.minutes(5))) struct KojiBadFilesTests {
    /// A package of the recorded tag at the event 100.
    private struct Package: Sendable {
        let nvr: String
        var arch = "noarch"

        var name: String { nvr.split(separator: "-").dropLast(2).joined(separator: "-") }
        var path: String { "packages/\(name)/\(nvr.split(separator: "-").suffix(2).joined(separator: "/"))/\(arch)/\(nvr).\(arch).rpm" }
        /// That of the package alone, without what it requires.
        var source: String { "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"\(name)\"], \"koji_event\": 100" }

        func unusable(_ finding: String) -> String {
            "The file of the package \(nvr).\(arch) of the build \(nvr) (\(path)) in Koji cannot be used: \(finding)."
        }

        static let ed = Package(nvr: "ed-1.14.2-2.fc26", arch: "x86_64")
        static let libfoo = Package(nvr: "libfoo-1.1-1.fc26", arch: "x86_64")
        static let foo = Package(nvr: "foo-2.0-1.fc26", arch: "x86_64")
        static let bar = Package(nvr: "bar-3.2-1.fc26", arch: "x86_64")
        static let barData = Package(nvr: "bar-data-4-1.fc26")
        static let loopA = Package(nvr: "loop-a-1-1.fc26")
        static let loopB = Package(nvr: "loop-b-1-1.fc26")
        static let filereq = Package(nvr: "filereq-1-1.fc26")
        static let scripted = Package(nvr: "scripted-1.5-1.fc26")
    }

    private struct Situation: Sendable {
        let package: Package
        let reason: String
        /// Whether it is noticed before anything is chosen.
        var isOfHeader = true
        let damage: @Sendable ([UInt8]) throws -> [UInt8]?
    }

    private static let situations: [Situation] = [
        Situation(package: .ed, reason: "it does not exist") { _ in nil },
        Situation(package: .libfoo, reason: "it ends inside of its header, after N bytes") { _ in [] },
        Situation(package: .foo, reason: "it ends inside of its header, after N bytes") { Array($0.prefix(5000)) },
        Situation(package: .bar, reason: "it has N bytes instead of 6926", isOfHeader: false) { Array($0.dropLast(10)) },
        Situation(
            package: .barData, reason: "it is damaged: the hub says that its payload hash is HASH, but its content has HASH",
            isOfHeader: false
        ) { Self.flipped($0, at: $0.count - 1) },
        Situation(package: .loopA, reason: "it is not an RPM package") { _ in Array("<html>not here</html>".utf8) },
        Situation(package: .loopB, reason: "it is the package scripted-1.5-1.fc26.noarch") { _ in
            try [UInt8](Data(contentsOf: URL(filePath: ScriptedHub.topdir.appending(Package.scripted.path).string)))
        },
        Situation(package: .filereq, reason: "it is not an RPM package, or damaged") { Self.flipped($0, at: 5000) },
    ]

    private static func flipped(_ bytes: [UInt8], at index: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 1
        return bytes
    }

    /// A copy of the recorded tree that a test may damage, with a service that reads it.
    private func with<R: Sendable>(overHTTP: Bool = false, _ body: @escaping @Sendable (KojiService, Tree) async throws -> R) async throws
        -> R
    {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let tree = Tree(directory: directory.path.appending("topdir"))
        try FileManager.default.copyItem(atPath: ScriptedHub.topdir.string, toPath: tree.directory.string)
        return try await KojiService.with(overHTTP ? .topurl : .topdir, topdir: tree.directory) { try await body($0, tree) }
    }

    private struct Tree: Sendable {
        let directory: FilePath

        /// `nil` removes the file.
        func change(_ path: String, _ change: ([UInt8]) throws -> [UInt8]?) throws {
            let file = URL(filePath: directory.appending(path).string)
            let changed = try change([UInt8](Data(contentsOf: file)))
            if let changed { try Data(changed).write(to: file) } else { try FileManager.default.removeItem(at: file) }
        }

        func restore(_ path: String) throws {
            let original = URL(filePath: ScriptedHub.topdir.appending(path).string)
            try Data(contentsOf: original).write(to: URL(filePath: directory.appending(path).string))
        }
    }

    @Test("a file that is not what Koji says fails the composes that want it, by name, and only those", arguments: [false, true])
    func damaged(overHTTP: Bool) async throws {
        try await with(overHTTP: overHTTP) { koji, tree in
            for situation in Self.situations { try tree.change(situation.package.path, situation.damage) }
            var ids: [Int] = []
            for situation in Self.situations { ids.append(try await koji.post(situation.package.source, flags: ["no_deps"])) }
            let other = try await koji.post(Package.scripted.source, flags: ["no_deps"])
            let whole = try await koji.post("\"type\": \"tag\", \"source\": \"f26-updates\", \"koji_event\": 100")
            for (situation, id) in zip(Self.situations, ids) {
                let need = situation.isOfHeader ? " It is needed: \(situation.package.name) is asked for." : ""
                try await koji.expectFailure(
                    try await koji.end(of: id), situation.package.unusable(situation.reason) + need, .packageFileUnusable)
            }

            let compose = try await koji.end(of: other)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["scripted-1.5-1.fc26.noarch"])
            let notes = Self.situations.filter(\.isOfHeader).map { situation in
                "Resolved without \(situation.package.nvr).\(situation.package.arch): \(situation.package.unusable(situation.reason))"
            }
            #expect(Set(compose.reason.dropFirst().map(koji.masked)) == Set(notes))

            let failed = try await koji.end(of: whole)
            #expect(failed.document.stateReason?.hasPrefix("6 package files in Koji cannot be used.") == true, "\(failed.reason)")
            #expect(
                Set(failed.document.failure?.details.compactMap(\.package) ?? [])
                    == Set(Self.situations.filter(\.isOfHeader).map { "\($0.package.nvr).\($0.package.arch)" }))
            #expect(try koji.service.traces(of: whole) == [])
        }
    }

    @Test("what is left out is missed where it is required by name, or is the source of what is chosen; what comes back is used")
    func required() async throws {
        try await with { koji, tree in
            let source = "packages/filereq/1/1.fc26/src/filereq-1-1.fc26.src.rpm"
            let second = "packages/ed/1.14.2/2.fc26/i686/ed-1.14.2-2.fc26.i686.rpm"
            for path in [Package.libfoo.path, Package.loopB.path, source, second] { try tree.change(path) { _ in [] } }
            let broken = "it ends inside of its header, after N bytes"

            try await koji.expectFailure(
                try await koji.compose(Package.foo.source),
                Package.libfoo.unusable(broken) + " It is needed: libfoo-1.1-1.fc26.i686 would take its place.", .packageFileUnusable)
            try await koji.expectFailure(
                try await koji.compose(Package.loopA.source),
                Package.loopB.unusable(broken)
                    + " It is needed: loop-a-1-1.fc26.noarch requires loop-b, which nothing else provides.", .packageFileUnusable)
            try await koji.expectFailure(
                try await koji.compose(Package.filereq.source, flags: ["no_deps"]),
                Package(nvr: "filereq-1-1.fc26", arch: "src").unusable(broken)
                    + " It is needed: filereq-1-1.fc26.noarch is part of this compose, whose source it is.", .packageFileUnusable)
            try await koji.expectFailure(
                try await koji.compose("\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"libf*\"], \"koji_event\": 100"),
                Package.libfoo.unusable(broken) + " It is needed: libf* is asked for.", .packageFileUnusable)

            // The i686 package is of no interest where there is one for x86_64.
            let compose = try await koji.compose(Package.ed.source)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["ed-1.14.2-2.fc26.x86_64"])
            #expect(compose.reason.dropFirst().allSatisfy { $0.hasPrefix("Resolved without ") })
            #expect(compose.reason.count == 5)

            try tree.restore(Package.libfoo.path)
            let repaired = try await koji.compose(Package.foo.source)
            #expect(repaired.state == "done", "\(repaired.reason)")
            #expect(try repaired.packages().contains("libfoo-1.1-1.fc26.x86_64"))
        }
    }

    @Test("what is the matter with the server of the files is said; where it may pass, it is tried again")
    func badServer() async throws {
        try await KojiService.with(.topurl) { koji in
            let path = Package.ed.path
            let subject = "The file of the package ed-1.14.2-2.fc26.x86_64 of the build ed-1.14.2-2.fc26 (\(path)) in Koji"
            let needed = "It is needed: ed is asked for."
            let situations: [(ScriptedHub.FileBehaviour, String, ComposeFailure.Code, isTransient: Bool)] = [
                (
                    .status(500), "\(subject) could not be read: HUB answered with the status 500 (Internal Server Error).",
                    .sourceUnreachable, true
                ),
                (.cut(after: 100), "\(subject) cannot be used: the transfer ended after N bytes.", .packageFileUnusable, true),
                (.status(404), "\(subject) cannot be used: it does not exist. \(needed)", .packageFileUnusable, false),
                (
                    .status(403), "\(subject) cannot be used: the server answered with the status 403. \(needed)", .packageFileUnusable,
                    false
                ),
                (
                    .bytes(Array("<html>Log in first</html>".utf8)), "\(subject) cannot be used: it is not an RPM package. \(needed)",
                    .packageFileUnusable, false
                ),
            ]
            for (behaviour, reason, code, isTransient) in situations {
                koji.hub.forget()
                koji.hub.behaveForFiles { $0.path == path ? behaviour : .file }
                let compose = try await koji.compose(Package.ed.source, flags: ["no_deps"])
                try await koji.expectFailure(compose, reason, code, isTransient: isTransient)
                #expect((koji.hub.fileRequests.count { $0.path == path } > 1) == isTransient, "\(reason)")
            }

            // The header is read by now; that the package itself is another one is found by the hub's word on its checksum.
            koji.hub.behaveForFiles { _ in .file }
            let rows = try #require(try XMLRPCValue(parsing: Recordings.response("listTaggedRPMS_rpmsigs")).array?.first?.array)
            for row in rows where row["name"] == "ed" {
                let call = XMLRPCCall(
                    "getRPMChecksums", [try #require(row["id"])], keywords: [.init("checksum_types", ["sha256"]), .init("cacheonly", true)])
                koji.hub.answer(call, with: .value(["": ["sha256": .string(String(repeating: "0", count: 64))]]))
            }
            let other = try await koji.compose(Package.ed.source, flags: ["no_deps"])
            try await koji.expectFailure(
                other,
                "The file of the package ed-1.14.2-2.fc26.x86_64 (\(path)) in Koji cannot be used: it has the checksum sha256:HASH instead of sha256:HASH.",
                .packageFileUnusable)
        }
    }

    @Test("a wrong place of all files is told from single files that are not there")
    func wrongPlace() async throws {
        try await KojiService.with(.topurl) { koji in
            koji.hub.behaveForFiles { _ in .status(404) }
            let compose = try await koji.compose(Package.ed.source)
            #expect(compose.state == "failed")
            #expect(
                compose.document.stateReason?.hasPrefix(
                    "At least 20 package files in Koji cannot be used. The maintainer of Koji has to bring them back, or the builds have to be left "
                        + "out; unless this service looks for them in a wrong place, which its operator knows. The first of them: ")
                    == true,
                "\(compose.reason)")
        }
    }
}
