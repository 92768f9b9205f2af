import ComposeModel
import Foundation
import Koji
import NIOHTTP1
import ScriptedHub
import Synchronization
import SystemPackage
import Testing

/// Composes that wait until Koji has the wanted signatures.
@Suite(.timeLimit(.minutes(5))) struct KojiSigningTests {
    private static let ed =
        "\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"sigkeys\": [\"0B3E5524\"]"
    private static let wait = "\"on_unsigned\": \"wait\""

    /// Waits until the compose waits for signatures.
    private func awaitWaiting(_ id: Int, _ koji: KojiService) async throws -> Compose {
        try await koji.service.await(id) { $0.state == .wait && $0.stateReason?.hasPrefix("Waits for signatures until ") == true }
    }

    @Test("a compose waits, says for which packages, keys and until when, and is built from the same event once they are signed")
    func signedLater() async throws {
        let signs = Mutex(false)
        try await KojiService.with(settings: "unsigned_retry_seconds: 1", signs: { signs.withLock(\.self) }) { koji in
            let id = try await koji.submit(Self.ed, Self.wait)
            let waiting = try await awaitWaiting(id, koji)
            let reason = try #require(waiting.stateReason)
            #expect(reason.contains("as signed by any of the keys 0B3E5524"), "\(reason)")
            #expect(reason.contains("ed-1.14.2-2.fc26.x86_64 of the build ed-1.14.2-2.fc26 is not signed at all"), "\(reason)")
            #expect(waiting.request.unsignedWaitSeconds == 3600)
            signs.withLock { $0 = true }
            koji.hub.forget()
            let compose = try await koji.end(of: id)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(compose.document.onUnsigned == "wait")
            #expect(compose.document.kojiEvent == waiting.kojiEvent)
            let listings = koji.hub.calls.filter { $0.method == "listTaggedRPMS" }
            #expect(!listings.isEmpty && listings.allSatisfy { $0.keywords.contains(.init("event", .int(waiting.kojiEvent ?? 0))) })
            // Only the signatures of the chosen packages are asked for.
            #expect(!listings.contains { $0.keywords.contains(.init("rpmsigs", true)) })
            #expect(try compose.packages().contains("ed-1.14.2-2.fc26.x86_64"))
        }
    }

    @Test("one whose time is over fails as it would have at once, and says how long it has waited")
    func timeIsOver() async throws {
        try await KojiService.with(settings: "unsigned_retry_seconds: 1", signs: { false }) { koji in
            let id = try await koji.submit(Self.ed, Self.wait, "\"unsigned_wait_seconds\": 1")
            let compose = try await koji.end(of: id)
            #expect(compose.state == "failed")
            let reason = compose.reason.joined()
            #expect(reason.contains("ed-1.14.2-2.fc26.x86_64 of the build ed-1.14.2-2.fc26 is not signed at all"), "\(reason)")
            #expect(reason.contains(/The compose has waited \d+ seconds for signatures\.$/), "\(reason)")
            #expect(compose.document.failure?.code == .packageUnsigned)
        }
    }

    @Test("one that waits can be canceled, and goes on waiting when its worker is another one")
    func canceled() async throws {
        try await KojiService.with(settings: "unsigned_retry_seconds: 1", signs: { false }) { koji in
            let id = try await koji.submit(Self.ed, Self.wait)
            let waiting = try await awaitWaiting(id, koji)
            await koji.server.kill()
            try await ServerProcess.with(configuration: koji.service.configuration) { server in
                let attempts = waiting.attempts
                let again = try await koji.service.await(id) { $0.state == .wait && $0.attempts > attempts }
                #expect(again.stateReason?.prefix(50) == waiting.stateReason?.prefix(50))
                let answer = try await server.http(.DELETE, "/api/1/composes/\(id)")
                #expect(answer.status == 202)
                let canceled = try await koji.service.await(id, .failed)
                #expect(canceled.stateReason == "Canceled by unknown")
            }
        }
    }

    @Test("an administrator's limit is the longest that a compose waits")
    func limit() async throws {
        try await KojiService.with(settings: "unsigned_wait_seconds: 60", signs: { false }) { koji in
            let id = try await koji.submit(Self.ed, Self.wait, "\"unsigned_wait_seconds\": 100000")
            #expect(try await koji.server.compose(id).unsignedWaitSeconds == 60)
        }
    }
}
