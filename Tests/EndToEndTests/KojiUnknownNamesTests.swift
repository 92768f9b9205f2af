import ComposeModel
import Foundation
import Koji
import ScriptedHub
import SystemPackage
import Testing

/// Tags, builds and scratch builds, those that give packages and those that cannot.
@Suite(.timeLimit(.minutes(5))) struct KojiUnknownNamesTests {
    private static let scratchBuild = "\"type\": \"build\", \"scratch_build_tasks\": [\"3\"]"

    /// The recorded scratch build, as if it had built `ed`; `removed` is the name of a file that is not there any more.
    private func withScratchBuild(
        removed: String? = nil, _ body: @escaping @Sendable (KojiService) async throws -> Void
    ) async throws {
        try await KojiService.with(.topurl) { koji in
            let file = { (arch: String) in XMLRPCValue.string("tasks/5/5/ed-1.14.2-2.fc26.\(arch).rpm") }
            koji.hub.answer(
                XMLRPCCall("getTaskResult", 5), with: .value(["rpms": [file("x86_64")], "srpms": [file("src")], "logs": [], "brootid": 1]))
            koji.hub.behaveForFiles { request in
                guard let name = FilePath(request.path).lastComponent?.string, let arch = name.split(separator: ".").dropLast().last,
                    name != removed,
                    let bytes = FileManager.default.contents(
                        atPath: ScriptedHub.topdir.appending("packages/ed/1.14.2/2.fc26/\(arch)/\(name)").string)
                else { return .status(404) }
                return .bytes([UInt8](bytes))
            }
            try await body(koji)
        }
    }

    @Test("a scratch build gives the packages that its tasks made for the architectures of the compose")
    func scratchBuild() async throws {
        try await withScratchBuild { koji in
            let compose = try await koji.compose(Self.scratchBuild)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["ed-1.14.2-2.fc26.x86_64"])
            #expect(try compose.packages("source/tree") == ["ed-1.14.2-2.fc26.src"])
        }
    }

    @Test("the files of a scratch build that Koji has removed by now are named")
    func removed() async throws {
        try await withScratchBuild(removed: "ed-1.14.2-2.fc26.x86_64.rpm") { koji in
            try await koji.expectFailure(
                try await koji.compose(Self.scratchBuild),
                "The file of the package ed-1.14.2-2.fc26.x86_64 of the build task 3 (work/tasks/5/5/ed-1.14.2-2.fc26.x86_64.rpm) in Koji "
                    + "cannot be used: it does not exist.", .packageFileUnusable)
        }
    }

    @Test("scratch builds that are not done are named with what became of them")
    func unfinished() async throws {
        try await KojiService.with { koji in
            for (id, state) in [(8, 3), (9, 0), (10, 1), (11, 77)] {
                koji.hub.answer(
                    XMLRPCCall("getTaskInfo", .int(id)), with: .value(["id": .int(id), "method": "build", "state": .int(state)]))
            }
            koji.hub.answer(XMLRPCCall("getTaskInfo", 12), with: .value(["id": 12, "method": "createrepo", "state": 2]))
            koji.hub.answer(XMLRPCCall("getTaskInfo", 7), with: .value(["id": 7, "method": "build", "state": 5]))
            koji.hub.answer(XMLRPCCall("getTaskInfo", 999), with: .value(nil))
            let tasks = [3, 7, 8, 9, 10, 11, 12, 999].map { "\"\($0)\"" }.joined(separator: ", ")
            try await koji.expectFailure(
                try await koji.compose("\"type\": \"build\", \"scratch_build_tasks\": [\(tasks)]"),
                "7 scratch builds cannot be used: in Koji, 7 has failed; 8 is canceled; 9 has not begun; 10 is not done yet; "
                    + "11 is in a state that this version does not know; 12 is no build, but a task createrepo; 999 is not there.",
                .sourceNotUsable)
        }
    }

    @Test("builds that have no packages to give are all named with their state, unknown ones with what comes nearest")
    func builds() async throws {
        try await KojiService.with { koji in
            let recorded = try XMLRPCValue(parsing: Recordings.response("getBuild_nvr"))
            guard case .structure(let members) = recorded else { throw CancellationError() }
            for (nvr, state) in [("ed-2-1", 0), ("ed-2-3", 3), ("ed-2-4", 4), ("ed-2-9", 9)] {
                koji.hub.answer(
                    XMLRPCCall("getBuild", .string(nvr)),
                    with: .value(.structure(members.merging(["nvr": .string(nvr), "state": .int(state)]) { $1 })))
            }
            koji.hub.answer(
                XMLRPCCall("search", "ed-*", "build", "glob"),
                with: .value([["id": 1, "name": "ed-1.14.2-1.fc26"], ["id": 2, "name": "ed-1.14.2-2.fc26"]]))
            let builds = ["ed-1.14.2-2.fc26", "ed-1.14.2-3.fc26", "ed-1.14.8-1.fc26", "ed-2-1", "ed-2-3", "ed-2-4", "ed-2-9"]
            let named = builds.map { "\"\($0)\"" }.joined(separator: ", ")
            try await koji.expectFailure(
                try await koji.compose("\"type\": \"build\", \"builds\": [\(named)]"),
                "6 builds cannot be used: in Koji, ed-1.14.2-3.fc26 is not there (nearest: ed-1.14.2-1.fc26, ed-1.14.2-2.fc26); "
                    + "ed-1.14.8-1.fc26 is deleted; ed-2-1 is building; ed-2-3 is failed; ed-2-4 is canceled; "
                    + "ed-2-9 is in a state that this version does not know.",
                .sourceNotUsable)
        }
    }

    @Test("a tag that is not there is told with what comes nearest")
    func tag() async throws {
        try await KojiService.with { koji in
            koji.hub.answer(
                XMLRPCCall("search", "f26-u*", "tag", "glob"),
                with: .value([["id": 3, "name": "f26-updates-testing"], ["id": 2, "name": "f26-updates"]]))
            try await koji.expectFailure(
                try await koji.compose("\"type\": \"tag\", \"source\": \"f26-update\""),
                "Koji has no tag called f26-update; nearest: f26-updates, f26-updates-testing. "
                    + "One that was deleted can be had as of an event (koji_event) at which it was there.", .sourceNotUsable)
        }
    }
}
