import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import Koji
import NIOHTTP1
import Postgres
import ScriptedHub
import SystemPackage
import Testing

/// Standing composes: what becomes of watches while the tag of a scripted hub changes.
@Suite(.timeLimit(.minutes(5))) struct WatchTests {
    /// A service that asks its Koji every second.
    private func withService(
        _ body: @escaping @Sendable (TestService, ServerProcess, TagHistory) async throws -> Void
    ) async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            let more = "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\", watch_seconds: 1}"
            try await TestService.running(more: more) { service, server in try await body(service, server, history) }
        }
    }

    /// The watch as soon as it is as `condition` asks for.
    private func watch(
        _ id: Int, in service: TestService, until condition: @escaping (ComposeWatch) -> Bool
    ) async throws -> ComposeWatch {
        try await service.awaitChange { try await service.store.watch(id).flatMap { condition($0) ? $0 : nil } }
    }

    /// The latest compose of a watch, once it is done, and another one than `other`.
    private func compose(
        of id: Int, otherThan other: Int? = nil, in service: TestService, _ server: ServerProcess
    ) async throws -> FinishedCompose {
        let seen = try await watch(id, in: service) { $0.latestCompose != other }
        let latest = try #require(seen.latestCompose)
        _ = try await service.await(latest, .done, .failed)
        return FinishedCompose(document: try await server.compose(latest), in: service.composes)
    }

    @Test("a watch has a compose at once, and a new one, with its events, when its packages change; another watch of the tag has none")
    func changes() async throws {
        try await withService { service, server, history in
            let libfoo = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
            let ed = try await service.store.standingWatch(owner: "you", request: .tag(["ed"]))
            let first = try await compose(of: libfoo.id, in: service, server)
            #expect(first.state == "done", "\(first.reason)")
            #expect(first.document.watch == libfoo.id)
            #expect(first.document.owner == "me")
            #expect(first.document.kojiEvent == TagHistory.before)
            #expect(try first.packages() == ["libfoo-1.0-1.fc26.x86_64"])
            let edCompose = try await compose(of: ed.id, in: service, server)

            history.advance()
            let second = try await compose(of: libfoo.id, otherThan: first.document.id, in: service, server)
            #expect(second.state == "done", "\(second.reason)")
            #expect(second.document.watch == libfoo.id)
            #expect(second.document.kojiEvent == TagHistory.after)
            #expect(try second.packages() == ["libfoo-1.1-1.fc26.x86_64"])

            let looked = try await watch(ed.id, in: service) { $0.kojiEvent == TagHistory.after }
            #expect(looked.latestCompose == edCompose.document.id)
            #expect(looked.problem == nil)
            let events = try await service.database.pool.query(
                "SELECT compose_id, state FROM events WHERE compose->>'watch_id' = '\(unsafe: "\(libfoo.id)")' ORDER BY id")
            #expect(
                try events.map { "\(try $0.decode(Int.self, "compose_id")) \(try $0.decode(Int.self, "state"))" }
                    == [first, second].flatMap { compose in [0, 1, 2].map { "\(compose.document.id) \($0)" } })
        }
    }

    @Test(
        "as long as nothing has changed, all watches together are one call, and nothing is resolved; a change of another tag is none of one's own"
    )
    func quiet() async throws {
        try await withService { service, server, history in
            let child = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
            let parent = try await service.store.standingWatch(owner: "me", request: .tag(["loop-a"], from: "f26"))
            let alone = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"], flags: .noInheritance))
            for watch in [child, parent, alone] { _ = try await compose(of: watch.id, in: service, server) }
            var calls = history.calls.makeAsyncIterator()
            for _ in 0..<history.hub.calls.count { _ = await calls.next() }
            let all = XMLRPCCall("tagChangedSinceEvent", .int(TagHistory.before), [1, 2])
            for _ in 0..<3 { #expect(await calls.next() == all) }

            let before = try #require(try await service.store.watch(parent.id))
            history.advance()
            _ = try await compose(of: child.id, otherThan: service.store.watch(child.id)?.latestCompose, in: service, server)
            var listed: Set<String> = []
            while let call = await calls.next(), call != XMLRPCCall("tagChangedSinceEvent", .int(TagHistory.after), [1, 2]) {
                if call.method == "listTaggedRPMS", let tag = call.arguments.first?.string { listed.insert(tag) }
            }
            #expect(listed == ["f26-updates"])
            let after = try #require(try await service.store.watch(parent.id))
            #expect(after.kojiEvent == TagHistory.after, "its changes are known up to there")
            #expect(after.latestCompose == before.latestCompose)
        }
    }

    @Test("a change of a parent counts")
    func parents() async throws {
        try await withService { service, server, history in
            let child = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
            let first = try await compose(of: child.id, in: service, server)
            history.advanceParent()
            let second = try await compose(of: child.id, otherThan: first.document.id, in: service, server)
            #expect(try second.packages() == ["libfoo-1.1-1.fc26.x86_64"])
        }
    }

    @Test("a package that is not there, or not signed, is a problem in words until it is; then it is a compose")
    func problems() async throws {
        try await withService { service, server, history in
            let signed = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"], sigkeys: ["0b3e5524"]))
            let absent = try await service.store.standingWatch(owner: "me", request: .tag(["no-such-package"]))
            let unknown = try await service.store.standingWatch(owner: "me", request: .tag(from: "no-such-tag"))
            let problem = try await watch(signed.id, in: service) { $0.problem != nil }
            #expect(
                problem.problem?.hasPrefix("1 package is not there as signed by any of the keys 0b3e5524: libfoo-1.0-1.fc26.x86_64") == true
                    || problem.problem?.contains("libfoo-1.0-1.fc26.x86_64 of the build libfoo-1.0-1.fc26 is not signed at all") == true,
                "\(problem)")
            #expect(problem.latestCompose == nil)
            #expect(try await watch(absent.id, in: service) { $0.problem != nil }.problem?.contains("no-such-package") == true)
            #expect(
                try await watch(unknown.id, in: service) { $0.problem != nil }.problem?.hasPrefix("Koji has no tag called no-such-tag.")
                    == true)

            history.advance()
            let compose = try await compose(of: signed.id, in: service, server)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["libfoo-1.1-1.fc26.x86_64"])
            #expect(try await service.store.watch(signed.id)?.problem == nil)
            #expect(try await service.store.watch(absent.id)?.latestCompose == nil)
        }
    }

    @Test("while Koji cannot be asked, each watch says why; when it can, what changed meanwhile is found")
    func away() async throws {
        try await withService { service, server, history in
            let libfoo = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
            let first = try await compose(of: libfoo.id, in: service, server)
            history.breakDown()
            let problem = try await watch(libfoo.id, in: service) { $0.problem != nil }
            #expect(problem.problem?.contains("Nobody is at home") == true, "\(problem)")
            #expect(problem.latestCompose == first.document.id)
            history.advance()
            history.recover()
            let second = try await compose(of: libfoo.id, otherThan: first.document.id, in: service, server)
            #expect(try second.packages() == ["libfoo-1.1-1.fc26.x86_64"])
            #expect(try await service.store.watch(libfoo.id)?.problem == nil)
        }
    }

    @Test("a tag that was deleted is told, and so is the end of a watch: nothing is made for it any more")
    func ends() async throws {
        try await withService { service, server, history in
            let ended = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
            let standing = try await service.store.standingWatch(owner: "me", request: .tag(["ed"]))
            let first = try await compose(of: ended.id, in: service, server)
            let last = try await compose(of: standing.id, in: service, server)
            _ = try await service.store.endWatch(ended.id)
            history.delete()
            let seen = try await watch(standing.id, in: service) { $0.problem != nil }
            #expect(seen.problem?.hasPrefix("Koji has no tag called f26-updates.") == true, "\(seen)")
            #expect(seen.latestCompose == last.document.id)
            let other = try #require(try await service.store.watch(ended.id))
            #expect(other.problem == nil)
            #expect(other.latestCompose == first.document.id)
            #expect(try await server.compose(first.document.id).stateName == "done")
        }
    }

    @Test("what changed while no worker ran is found by the next one, and several workers make one compose of it")
    func restart() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            let more = "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\", watch_seconds: 1}"
            try await TestService.with(more: more) { service in
                let libfoo = try await service.store.standingWatch(owner: "me", request: .tag(["libfoo"]))
                let ed = try await service.store.standingWatch(owner: "me", request: .tag(["ed"]))
                try await ServerProcess.with(configuration: service.configuration) { server in
                    for watch in [libfoo, ed] { _ = try await compose(of: watch.id, in: service, server) }
                    await server.kill()
                }
                history.advance()
                try await ServerProcess.with(configuration: service.configuration) { server in
                    try await ServerProcess.with(configuration: service.configuration) { _ in
                        let first = try await service.store.list(ComposeQuery()).items.first { $0.request.packages == ["libfoo"] }
                        let second = try await compose(of: libfoo.id, otherThan: first?.id, in: service, server)
                        #expect(try second.packages() == ["libfoo-1.1-1.fc26.x86_64"])
                        _ = try await watch(ed.id, in: service) { $0.kojiEvent == TagHistory.after }
                        #expect(try await service.store.list(ComposeQuery()).total == 3)
                    }
                }
            }
        }
    }
}
