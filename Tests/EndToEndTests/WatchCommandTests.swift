import ComposeModel
import ComposeStore
import Foundation
import NIOHTTP1
import ScriptedHub
import Testing

/// `odcs watch-tag`, `watches` and `unwatch` against the real service.
@Suite(.timeLimit(.minutes(5))) struct WatchCommandTests {
    private func watch(_ program: Program) throws -> WatchDocument {
        try JSONDecoder().decode(WatchDocument.self, from: Data(program.output.utf8))
    }

    @Test("a watch is begun, found again, listed and ended")
    func life() async throws {
        try await ScriptedHub.with { hub in
            try await TestService.running(more: "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\"}") { _, server in
                let begun = try await server.odcs("watch-tag", "f26-updates", "--packages", "ed", "--json")
                #expect(begun.status == 0, "\(begun)")
                let watch = try watch(begun)
                #expect(watch.source == "f26-updates")
                #expect(watch.packages == "ed")
                let again = try await server.odcs("watch-tag", "f26-updates", "ed")
                #expect(again.status == 0)
                #expect(
                    again.output.hasPrefix("watch        \(watch.id)\n") || again.output.hasPrefix("watch     \(watch.id)\n"), "\(again)")
                #expect(again.output.hasSuffix("\nNext: odcs watches \(watch.id) --follow\n  or: odcs unwatch \(watch.id)\n"), "\(again)")

                let listed = try await server.odcs("watches")
                #expect(listed.output.split(separator: "\n").count == 2)
                #expect(listed.output.contains("\n\(watch.id)   f26-updates  ed        unknown  "))
                let shown = try await server.http(.GET, "/api/1/watches/\(watch.id)/")
                #expect(shown.status == 200)
                #expect(try JSONDecoder().decode(WatchDocument.self, from: shown.body).timeEnded == nil)

                let ended = try await server.odcs("unwatch", "\(watch.id)")
                #expect(ended.status == 0)
                #expect(ended.output.hasPrefix("Watch \(watch.id) of f26-updates ended at "))
                #expect(try await server.odcs("watches").complaints == "No watch matches.\n")
                #expect(try await server.odcs("watches", "--all").output.contains("ended "))
                let next = try await server.odcs("watch-tag", "f26-updates", "--packages", "ed", "--json")
                #expect(try self.watch(next).id == watch.id + 1)
            }
        }
    }

    @Test("who follows a watch gets the compose that its packages are in when they change, until it has ended")
    func follow() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            let more = "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\", watch_seconds: 1}"
            try await TestService.running(more: more) { service, server in
                let wish = ["watch-tag", "f26-updates", "--packages", "libfoo", "--arch", "x86_64"]
                let watch = try watch(try await server.odcs(wish + ["--json"]))
                async let following = server.odcs(wish + ["--follow", "--json"])
                let first = try await compose(of: watch.id, otherThan: nil, in: service)
                history.advance()
                let second = try await compose(of: watch.id, otherThan: first, in: service)
                #expect(try await server.odcs(["unwatch", "\(watch.id)"]).status == 0)

                let followed = try await following
                #expect(followed.status == 0, "\(followed)")
                #expect(followed.complaints.hasSuffix("watch \(watch.id): compose \(second)\nwatch \(watch.id): it has ended\n"))
                let last = try #require(followed.output.replacing("\n}\n{\n", with: "\n}\0{\n").split(separator: "\0").last)
                #expect(try JSONDecoder().decode(ComposeDocument.self, from: Data(last.utf8)) == (try await server.compose(second)))
                let shown = try self.watch(try await server.odcs(["watches", "\(watch.id)", "--json"]))
                #expect(shown.latestCompose == .init(id: second, url: "\(server.url)/api/1/composes/\(second)"))
                #expect(shown.kojiEvent == TagHistory.after)
            }
        }
    }

    /// The latest compose of a watch, once it is done, and another one than `other`.
    private func compose(of id: Int, otherThan other: Int?, in service: TestService) async throws -> Int {
        let latest = try await service.awaitChange {
            let latest = try await service.store.watch(id)?.latestCompose
            return latest == other ? nil : latest
        }
        let compose = try await service.await(latest, .done, .failed)
        #expect(compose.state == .done, "\(compose.stateReason ?? "")")
        return latest
    }

    @Test("a service without a Koji names the setting that it lacks")
    func withoutKoji() async throws {
        try await TestService.running { _, server in
            let program = try await server.odcs("watch-tag", "f26")
            #expect(program.status == 2)
            #expect(
                program.complaints
                    == "odcs: This server makes no composes of the source type tag: the setting koji.hub is missing in its configuration. (HTTP 400)\n"
            )
            #expect(try await server.http(.GET, "/api/1/watches").status == 200)
        }
    }
}
