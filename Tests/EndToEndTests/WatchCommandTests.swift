import ComposeModel
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
                #expect(try await server.odcs("watches").complaints == "No watch is like that.\n")
                #expect(try await server.odcs("watches", "--all").output.contains("ended "))
                let next = try await server.odcs("watch-tag", "f26-updates", "--packages", "ed", "--json")
                #expect(try self.watch(next).id == watch.id + 1)
            }
        }
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
