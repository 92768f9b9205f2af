import AsyncHTTPClient
import ComposeModel
import Foundation
import NIOHTTP1
import ScriptedHub
import SystemPackage
import Testing

/// A compose of a tag, renewed when the tag has changed: it is of the packages of back then, as far as they are still there.
@Suite(.timeLimit(.minutes(5))) struct KojiRenewalTests {
    /// A service whose Koji's tree of files is a copy that the test may damage, and a compose of some source of the tag f26-updates, done and
    /// then taken away by an admin.
    private func withRemovedCompose(
        of source: String, advanced: Bool = false, since: @escaping @Sendable (TagHistory) -> Void = { _ in },
        _ body: @escaping @Sendable (TestService, ServerProcess, FilePath, FinishedCompose) async throws -> Void
    ) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let topdir = directory.path.appending("topdir")
        try FileManager.default.copyItem(atPath: ScriptedHub.topdir.string, toPath: topdir.string)
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            if advanced { history.advance() }
            let more = "koji: {hub: \"\(hub.address)\", topdir: \"\(topdir)\"}\nworker: {expire_seconds: 1}"
            try await TestService.running(more: more) { service, server in
                let compose = try await server.compose(
                    json: "{\"source\": {\"type\": \"tag\", \"source\": \"f26-updates\", \(source)}}", service)
                #expect(compose.state == "done", "\(compose.reason)")
                _ = try await server.http(.DELETE, "/api/1/composes/\(compose.document.id)")
                _ = try await service.await(compose.document.id, .removed)
                history.advance()
                since(history)
                try await body(service, server, topdir, compose)
            }
        }
    }

    private func renew(_ compose: FinishedCompose, _ server: ServerProcess, _ service: TestService) async throws -> FinishedCompose {
        let answer = try await server.http(.PATCH, "/api/1/composes/\(compose.document.id)", body: .bytes(Array("{}".utf8)))
        #expect(answer.status == 200, "\(answer.text)")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        #expect(id != compose.document.id)
        _ = try await service.await(id, .done, .failed)
        return FinishedCompose(document: try await server.compose(id), in: service.composes)
    }

    @Test("the packages are those of the event of back then, though the tag has newer ones")
    func packages() async throws {
        try await withRemovedCompose(of: "\"packages\": [\"libfoo\"]") { service, server, _, compose in
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "done", "\(renewed.reason)")
            #expect(renewed.document.kojiEvent == TagHistory.before)
            #expect(try renewed.packages() == ["libfoo-1.0-1.fc26.x86_64"])
            #expect(try renewed.packages("source/tree") == ["libfoo-1.0-1.fc26.src"])
        }
    }

    @Test("a build that the tag had then and that was deleted since is named, since Koji does not list it even as of then")
    func buildDeleted() async throws {
        let since: @Sendable (TagHistory) -> Void = { $0.delete(build: "vanished", version: "1.0", release: "1.fc26") }
        try await withRemovedCompose(of: "\"packages\": [\"libfoo\"]", since: since) { service, server, _, compose in
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "done", "\(renewed.reason)")
            #expect(
                renewed.reason.contains {
                    $0.contains(
                        "The build vanished-1.0-1.fc26, which the tag f26-updates had at the event \(TagHistory.before), was deleted")
                }, "\(renewed.reason)")
        }
    }

    @Test("a tag that was renamed is known by its number, and another one that has the name by now is not taken for it")
    func replaced() async throws {
        try await withRemovedCompose(of: "\"packages\": [\"libfoo\"]", since: { $0.replace() }) { service, server, _, compose in
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "done", "\(renewed.reason)")
            #expect(try renewed.packages() == ["libfoo-1.0-1.fc26.x86_64"])
        }
    }

    @Test("a compose of a tag of which nothing is left fails with the builds that were deleted")
    func allDeleted() async throws {
        let since: @Sendable (TagHistory) -> Void = {
            $0.delete(build: "vanished", version: "1.0", release: "1.fc26")
            $0.empty()
        }
        try await withRemovedCompose(of: "\"packages\": []", since: since) { service, server, _, compose in
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "failed")
            #expect(
                renewed.document.stateReason
                    == "Nothing is left of what the tag f26-updates had at the event \(TagHistory.before): in Koji, vanished-1.0-1.fc26 was deleted since. "
                    + "A new request takes what the tag has now.")
        }
    }

    @Test("a package whose file is not there any more is named")
    func fileGone() async throws {
        try await withRemovedCompose(of: "\"packages\": [\"libfoo\"]") { service, server, topdir, compose in
            let path = "packages/libfoo/1.0/1.fc26/x86_64/libfoo-1.0-1.fc26.x86_64.rpm"
            try FileManager.default.removeItem(atPath: topdir.appending(path).string)
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "failed")
            #expect(renewed.document.failure?.code == .packageFileUnusable)
            #expect(renewed.document.stateReason?.contains("libfoo-1.0-1.fc26.x86_64") == true, "\(renewed.reason)")
            #expect(renewed.document.stateReason?.contains(topdir.string) == false)
            #expect(try service.traces(of: renewed.document.id) == [])
        }
    }

    @Test("a signed copy that is not there any more is named with its key, and nothing unsigned takes its place")
    func signedCopyGone() async throws {
        try await withRemovedCompose(of: "\"packages\": [\"ed\"], \"sigkeys\": [\"0b3e5524\"]", advanced: true) {
            service, server, topdir, compose in
            let path = "packages/ed/1.14.2/2.fc26/data/signed/0b3e5524/x86_64/ed-1.14.2-2.fc26.x86_64.rpm"
            try FileManager.default.removeItem(atPath: topdir.appending(path).string)
            let renewed = try await renew(compose, server, service)
            #expect(renewed.state == "failed")
            #expect(
                renewed.reason.first
                    == "1 package is not there as signed by any of the keys 0b3e5524: ed-1.14.2-2.fc26.x86_64 of the build ed-1.14.2-2.fc26 is "
                    + "signed by 0b3e5524; Koji has no files signed by 0b3e5524: not yet, or not any more. "
                    + "An empty key among the sigkeys allows packages that none of the others has signed.")
            #expect(try service.traces(of: renewed.document.id) == [])
        }
    }
}
