import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// Composes of Koji's tags and builds, against the recorded answers of a hub and its tree of packages.
@Suite(.timeLimit(.minutes(5))) struct KojiComposeTests {
    private static let event = KojiService.event

    private func withService(
        overHTTP: Bool = false, _ body: @escaping @Sendable (TestService, ServerProcess, ScriptedHub) async throws -> Void
    ) async throws {
        try await KojiService.with(overHTTP ? .topurl : .topdir) { try await body($0.service, $0.server, $0.hub) }
    }

    private func post(_ source: String, to server: ServerProcess, _ service: TestService) async throws -> FinishedCompose {
        let answer = try await server.post("{\"source\": {\(source)}}")
        #expect(answer.status == 200, "\(answer.text)")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        _ = try await service.await(id, .done, .failed)
        return FinishedCompose(document: try await server.compose(id), in: service.composes)
    }

    @Test("a tag as of an event gives the package that was tagged last then, with what it needs, its debuginfo and its source")
    func tag() async throws {
        try await withService { service, server, _ in
            let compose = try await post(
                "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"koji_event\": 100", to: server, service)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.kojiEvent == Self.event)
            #expect(try compose.packages().contains("ed-1.14.2-2.fc26.x86_64"))
            #expect(try compose.packages("source/tree").contains("ed-1.14.2-2.fc26.src"))
            #expect(try compose.packages("x86_64/debug/tree").contains("ed-debuginfo-1.14.2-2.fc26.x86_64"))
            #expect(try compose.text("compose.lock.json").contains("\"event\":100"))
            #expect(try !compose.text("compose.lock.json").contains(ScriptedHub.topdir.string))
            #expect(try !compose.text("pungi-stderr.log").contains(ScriptedHub.topdir.string))
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: server)
                let seen = try await dnf.packages(in: compose.layout.directory)
                #expect(try seen.packages == compose.packages())
                #expect(seen.complaints == "")
            }
        }
    }

    @Test(
        "a key chooses the copy that it has signed, and one that has signed nothing fails with the package's own keys",
        arguments: [false, true])
    func signed(overHTTP: Bool) async throws {
        try await withService(overHTTP: overHTTP) { service, server, hub in
            let source = "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"koji_event\": 100"
            let compose = try await post("\(source), \"sigkeys\": [\"0B3E5524\", \"\"]", to: server, service)
            #expect(compose.state == "done", "\(compose.reason)")
            let path = "packages/ed/1.14.2/2.fc26/data/signed/0b3e5524/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"
            let signed = try Data(contentsOf: URL(filePath: ScriptedHub.topdir.appending(path).string))
            let delivered = compose.repository("x86_64/os").appending("Packages/e/ed-1.14.2-2.fc26.x86_64.rpm")
            #expect(try Data(contentsOf: URL(filePath: delivered.string)) == signed)

            let refused = try await post("\(source), \"sigkeys\": [\"ffffffff\"]", to: server, service)
            #expect(refused.state == "failed")
            #expect(
                refused.document.stateReason?.contains("ed-1.14.2-2.fc26.x86_64 of the build ed-1.14.2-2.fc26 is signed by ") == true,
                "\(refused.reason)")
            #expect(hub.unrecorded.allSatisfy { $0.method == "getRPMChecksums" })
        }
    }

    @Test("a tag that has not changed since is not built again")
    func reused() async throws {
        try await withService { service, server, _ in
            let source = "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"]"
            let first = try await post(source, to: server, service)
            #expect(first.state == "done", "\(first.reason)")
            #expect(first.document.kojiEvent == Self.event + 1)
            let second = try await post(source, to: server, service)
            #expect(second.document.resultRepo == first.document.resultRepo)
            #expect(second.document.stateReason == "Done: it shows compose \(first.document.id), which has the same inputs.")
        }
    }

    @Test("a tag or build that is not there, and builds that are not complete, are named")
    func unknown() async throws {
        try await withService { service, server, _ in
            let tag = try await post("\"type\": \"tag\", \"source\": \"no-such-tag\"", to: server, service)
            #expect(
                tag.document.stateReason
                    == "Koji has no tag called no-such-tag. One that was deleted can be had as of an event (koji_event) at which it was there."
            )
            let future = try await post("\"type\": \"tag\", \"source\": \"f26-updates\", \"koji_event\": 999", to: server, service)
            #expect(future.document.stateReason == "Koji has no event 999 yet: its last one is \(Self.event + 1).")
            let builds = try await post(
                "\"type\": \"build\", \"builds\": [\"nope-1-1\", \"ed-1.14.8-1.fc26\"]", to: server, service)
            #expect(
                builds.document.stateReason
                    == "2 builds cannot be used: in Koji, ed-1.14.8-1.fc26 is deleted; nope-1-1 is not there."
            )
            #expect(try service.traces(of: builds.document.id) == [])
        }
    }

    @Test("a build gives exactly its packages, and an empty repository for an architecture that it has none for")
    func build() async throws {
        try await withService { service, server, hub in
            let recorded = try XMLRPCValue(parsing: Recordings.response("listBuildRPMs_id"))
            for rpm in recorded.array ?? [] {
                let id = try #require(rpm["id"])
                hub.answer(
                    XMLRPCCall("queryRPMSigs", keywords: [.init("rpm_id", id)]),
                    with: .value([["rpm_id": id, "sigkey": "", "sighash": "00"]]))
            }
            let compose = try await post("\"type\": \"build\", \"builds\": [\"ed-1.14.2-2.fc26\"]", to: server, service)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["ed-1.14.2-2.fc26.x86_64"])
            #expect(try compose.packages("source/tree") == ["ed-1.14.2-2.fc26.src"])
            #expect(
                try compose.packages("x86_64/debug/tree") == ["ed-debuginfo-1.14.2-2.fc26.x86_64", "ed-debugsource-1.14.2-2.fc26.x86_64"])
            // Koji has no package of the build for s390x.
            let other = try await server.post(
                #"{"source": {"type": "build", "builds": ["ed-1.14.2-2.fc26"]}, "flags": ["no_deps"], "arches": ["s390x", "x86_64"]}"#)
            #expect(other.status == 200, "\(other.text)")
            let id = try JSONDecoder().decode(ComposeDocument.self, from: other.body).id
            _ = try await service.await(id, .done, .failed)
            let both = FinishedCompose(document: try await server.compose(id), in: service.composes)
            #expect(both.state == "done", "\(both.reason)")
            #expect(try both.packages() == ["ed-1.14.2-2.fc26.x86_64"])
            #expect(try both.packages("s390x/os") == [])
        }
    }
}
