import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// What is asked for once more is shown only as long as Koji would still give it.
@Suite(.timeLimit(.minutes(5))) struct KojiReuseTests {
    private static let ed = "packages/ed/1.14.2/2.fc26"
    private static let tag = "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"]"

    /// A service whose Koji's tree of files is a copy that the test may change.
    private func with(
        settings: String = "allow_reference: true", _ body: @escaping @Sendable (KojiService, FilePath) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let topdir = directory.path.appending("topdir")
        try FileManager.default.copyItem(atPath: ScriptedHub.topdir.string, toPath: topdir.string)
        try await KojiService.with(.both, topdir: topdir, settings: settings) { try await body($0, topdir) }
    }

    @Test("a compose that refers to files is not shown again once they are gone: others are referred to")
    func pruned() async throws {
        try await with { koji, topdir in
            let source = "\(Self.tag), \"sigkeys\": [\"0b3e5524\", \"\"]"
            let reference = "\"delivery\": \"reference\""
            let first = try await koji.end(of: try await koji.submit(source, reference))
            #expect(first.state == "done", "\(first.reason)")
            let again = try await koji.end(of: try await koji.submit(source, reference))
            #expect(again.document.resultRepo == first.document.resultRepo, "\(again.reason)")

            try FileManager.default.removeItem(atPath: topdir.appending("\(Self.ed)/data/signed/0b3e5524").string)
            let pruned = try await koji.end(of: try await koji.submit(source, reference))
            #expect(pruned.document.resultRepo != first.document.resultRepo)
            #expect(try pruned.text("compose.lock.json").contains("\(Self.ed)/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"))
            #expect(try !pruned.text("compose.lock.json").contains("signed"))
        }
    }

    @Test("of several keys, the copy that a preferred key has signed since is taken")
    func signedSince() async throws {
        try await with { koji, topdir in
            let source = "\(Self.tag), \"sigkeys\": [\"0b3e5524\", \"\"]"
            let (signed, aside) = (topdir.appending("\(Self.ed)/data/signed/0b3e5524"), topdir.appending("aside"))
            try FileManager.default.moveItem(atPath: signed.string, toPath: aside.string)
            let first = try await koji.compose(source)
            #expect(first.state == "done", "\(first.reason)")
            #expect(try await koji.compose(source).document.resultRepo == first.document.resultRepo)
            try FileManager.default.moveItem(atPath: aside.string, toPath: signed.string)
            let second = try await koji.compose(source)
            let file = "compose/Temporary/x86_64/os/Packages/e/ed-1.14.2-2.fc26.x86_64.rpm"
            #expect(try second.data(file) == Data(contentsOf: URL(filePath: signed.appending("x86_64/ed-1.14.2-2.fc26.x86_64.rpm").string)))
            #expect(try second.data(file) != first.data(file))
        }
    }

    @Test("builds are looked at each time: one that was deleted since is named, one that got packages since has them")
    func builds() async throws {
        try await with { koji, _ in
            let source = "\"type\": \"build\", \"builds\": [\"ed-1.14.2-2.fc26\"]"
            let recorded = try XMLRPCValue(parsing: Recordings.response("listBuildRPMs_id")).array ?? []
            let build = try XMLRPCValue(parsing: Recordings.response("getBuild_nvr"))
            let id = try #require(build["build_id"] ?? build["id"])
            let listing = XMLRPCCall("listBuildRPMs", id)
            koji.hub.answer(listing, with: .value(.array(recorded.filter { $0["arch"] != "src" })))
            let first = try await koji.compose(source)
            #expect(try first.packages("source/tree") == [], "\(first.reason)")
            let again = try await koji.compose(source)
            #expect(again.document.resultRepo == first.document.resultRepo)
            #expect(
                again.reason.first
                    == "Done: it shows compose \(first.document.id): what it is made from was looked at anew, and the packages are the same."
            )

            koji.hub.answer(listing, with: .value(.array(recorded)))
            let more = try await koji.compose(source)
            #expect(try more.packages("source/tree") == ["ed-1.14.2-2.fc26.src"], "\(more.reason)")

            guard case .structure(var deleted) = build else { return }
            deleted["state"] = 2
            koji.hub.answer(XMLRPCCall("getBuild", "ed-1.14.2-2.fc26"), with: .value(.structure(deleted)))
            let gone = try await koji.compose(source)
            #expect(gone.reason == ["A build cannot be used: in Koji, ed-1.14.2-2.fc26 is deleted."])
        }
    }

    @Test("without keys, nobody asks the hub who has signed the packages of builds")
    func signatures() async throws {
        try await with { koji, _ in
            _ = try await koji.compose("\"type\": \"build\", \"builds\": [\"ed-1.14.2-2.fc26\"]")
            #expect(!koji.hub.calls.contains { $0.method == "queryRPMSigs" })
        }
    }

    @Test("packages on a volume that is a symbolic link to another directory are there, by link and by reference")
    func volume() async throws {
        try await with { koji, topdir in
            let elsewhere = try TemporaryDirectory()
            defer { elsewhere.remove() }
            try FileManager.default.createDirectory(
                atPath: elsewhere.path.appending("packages/ed/1.14.2").string, withIntermediateDirectories: true)
            try FileManager.default.moveItem(
                atPath: topdir.appending(Self.ed).string, toPath: elsewhere.path.appending("\(Self.ed)").string)
            try FileManager.default.createDirectory(atPath: topdir.appending("vol").string, withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: topdir.appending("vol/far").string, withDestinationPath: elsewhere.path.string)
            guard case .structure(var build) = try XMLRPCValue(parsing: Recordings.response("getBuild_nvr")) else { return }
            build["volume_name"] = "far"
            koji.hub.answer(XMLRPCCall("getBuild", "ed-1.14.2-2.fc26"), with: .value(.structure(build)))
            for delivery in ["link", "reference"] {
                let compose = try await koji.end(
                    of: try await koji.submit(
                        "\"type\": \"build\", \"builds\": [\"ed-1.14.2-2.fc26\"]", "\"delivery\": \"\(delivery)\""))
                #expect(compose.state == "done", "\(compose.reason)")
                #expect(try compose.packages().count == (delivery == "link" ? 1 : 0))
            }
        }
    }
}
