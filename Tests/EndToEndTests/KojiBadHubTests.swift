import ComposeModel
import Foundation
import Koji
import ScriptedHub
import SystemPackage
import Testing

/// Hubs of Koji that do not answer as they should: each compose says why, and what may pass by itself is tried again.
@Suite(.timeLimit(.minutes(5))) struct KojiBadHubTests {
    /// How the hub answers for the tag that is called as the situation is.
    private struct Situation: Sendable {
        let name: String
        /// The first call that is answered so.
        var method = "getTag"
        let behaviour: ScriptedHub.Behaviour
        let reason: String
        let code: ComposeFailure.Code
        let isTransient: Bool

        static func transient(_ name: String, _ behaviour: ScriptedHub.Behaviour, _ reason: String) -> Situation {
            Situation(name: name, behaviour: behaviour, reason: reason, code: .sourceUnreachable, isTransient: true)
        }

        static func final(
            _ name: String, _ behaviour: ScriptedHub.Behaviour, _ reason: String, _ code: ComposeFailure.Code = .sourceNotUsable,
            of method: String = "getTag"
        ) -> Situation {
            Situation(name: name, method: method, behaviour: behaviour, reason: reason, code: code, isTransient: false)
        }

        var source: String { "\"type\": \"tag\", \"source\": \"\(name)\", \"koji_event\": 100" }
    }

    private static func answer(_ value: String) -> [UInt8] {
        Array("<?xml version='1.0'?>\n<methodResponse><params><param>\(value)</param></params></methodResponse>\n".utf8)
    }

    private static let page = Array("<!DOCTYPE html>\n<html><body>Down for maintenance</body></html>".utf8)
    private static let traceback = "Traceback (most recent call last):\n  File \"/usr/lib/koji/x.py\", line 1, in y\nValueError: no good"
    private static let spaces = [UInt8](repeating: 0x20, count: 1 << 18)

    private static let slow: [Situation] = [
        .transient("silent", .silence, "The Koji hub at HUB did not answer getTag within 3 seconds."),
        .transient(
            "stalled", .stall(after: 0.5), "The Koji hub at HUB sent N bytes of its answer to getTag and then nothing for 3 seconds."),
    ]

    private static let situations: [Situation] = [
        .transient("half", .cut(after: 0.5), "The Koji hub at HUB broke off its answer to getTag after N bytes."),
        .transient("closed", .hangUp, "The Koji hub at HUB closed the connection before it answered getTag."),
        .transient("busy", .status(503), "The Koji hub at HUB answered getTag with the status 503 (Service Unavailable)."),
        .transient("offline", .reply(.fault(1014, "database outage")), "The Koji hub at HUB is offline: database outage."),
        .final(
            "page", .bytes(page, contentType: "text/html"),
            "The Koji hub at HUB answered getTag with a page of HTML: either its address is not that of the hub, which often ends in /kojihub, "
                + "or something before the hub answered in its place."),
        .final(
            "forbidden", .status(403),
            "The Koji hub at HUB answered getTag with the status 403 (Forbidden); it may want a client certificate (authtype = ssl and cert)."
        ),
        .final("fault", .reply(.fault(1000, "no such luck")), "The Koji hub at HUB refused the call getTag: no such luck (fault 1000)."),
        .transient(
            "defect", .reply(.fault(1, traceback)), "The Koji hub at HUB refused the call getTag: ValueError: no good (fault 1)."),
        .final(
            "unknown-type", .bytes(answer("<value><decimal>1</decimal></value>")),
            "The answer of the Koji hub at HUB to getTag cannot be used: it has the element <decimal>, which XML-RPC does not have."),
        .final(
            "unknown-type-in-list", .bytes(answer("<value><array><data><value><decimal>1</decimal></value></data></array></value>")),
            "The answer of the Koji hub at HUB to listTaggedRPMS cannot be used: it has the element <decimal>, which XML-RPC does not have.",
            of: "listTaggedRPMS"),
        .final(
            "other-form", .reply(.value(7)),
            "The answer of the Koji hub at HUB to getTag cannot be used: it is an integer where a tag should be.",
            .metadataCorrupt),
        .final(
            "announced", .stream(length: 1 << 31) { _ in spaces },
            "The Koji hub at HUB announced an answer of N bytes to listTaggedRPMS; this service accepts at most 1073741824.",
            .limitExceeded,
            of: "listTaggedRPMS"),
        .final(
            "endless",
            .stream { number in
                number == 0 ? Array("<?xml version='1.0'?><methodResponse><params><param><value><struct>".utf8) : spaces
            },
            "The answer of the Koji hub at HUB to getTag cannot be used: it has more than N bytes, the most that this service accepts.",
            .limitExceeded),
    ]

    /// The most memory that a process had so far, in megabytes.
    private func peak(of server: ServerProcess) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(server.pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) / 1024
    }

    @Test("whatever a hub answers, the reason is said, what may pass is tried again, nothing is left, and memory stays bounded")
    func answers() async throws {
        try await KojiService.with(settings: "attempts: 3") { koji in
            let before = try peak(of: koji.server)
            try await fail(Self.situations, of: koji)
            // Of some gigabytes that were sent or announced.
            #expect(try peak(of: koji.server) < before + 300)
        }
    }

    @Test("a hub that is silent is asked again")
    func silence() async throws {
        try await KojiService.with(settings: "timeout_seconds: 3, attempts: 3") { try await fail(Self.slow, of: $0) }
    }

    private func fail(_ situations: [Situation], of koji: KojiService) async throws {
        koji.hub.behave { call, _ in
            guard let situation = situations.first(where: { .string($0.name) == call.arguments.first }) else {
                return KojiService.behaviour(call)
            }
            if situation.method == call.method { return situation.behaviour }
            return .reply(.value(["id": 9, "name": .string(situation.name), "arches": "x86_64", "locked": false]))
        }
        var ids: [Int] = []
        for situation in situations { ids.append(try await koji.post(situation.source)) }
        for (situation, id) in zip(situations, ids) {
            let compose = try await koji.end(of: id)
            try await koji.expectFailure(compose, situation.reason, situation.code, isTransient: situation.isTransient)
            let asked = koji.hub.calls.count { $0.method == situation.method && $0.arguments.first == .string(situation.name) }
            #expect(asked == (situation.isTransient ? 3 : 1), "\(situation.name)")
        }
    }

    @Test("while the hub is away its compose waits and others are made; once it is back, the compose is made")
    func away() async throws {
        let isAway = Flag(true)
        try await KojiService.with(settings: "attempts: 3", worker: "attempts: 9, retry_seconds: 1, slots: 1") { koji in
            koji.hub.behave { call, _ in isAway.value ? .hangUp : KojiService.behaviour(call) }
            let id = try await koji.post("\"type\": \"tag\", \"source\": \"f26-updates\", \"packages\": [\"ed\"], \"koji_event\": 100")
            let waiting = try await koji.service.await(id) { $0.stateReason?.hasPrefix("Attempt 1 of 9 failed") == true }
            #expect(
                koji.masked(waiting.stateReason ?? "")
                    == "Attempt 1 of 9 failed and will be repeated shortly: The Koji hub at HUB closed the connection before it answered getLastEvent."
            )
            #expect(try koji.service.traces(of: id) == [])

            let other = try await koji.server.compose("repo", Checkout.testsRepo.string, "libed-data", "--no-deps")
            #expect(other.stateName == "done")

            isAway.value = false
            let compose = try await koji.end(of: id)
            #expect(compose.state == "done", "\(compose.reason)")
            #expect(try compose.packages() == ["ed-1.14.2-2.fc26.x86_64"])
        }
    }
}
