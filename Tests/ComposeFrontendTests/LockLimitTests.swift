import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import HummingbirdTesting
import Identity
import Testing

@testable import ComposeFrontend

/// Lock files of senders that have reached a limit.
@Suite struct LockLimitTests {
    private static let checksum = "sha256:\(String(repeating: "0", count: 64))"

    private static func body(_ name: String) -> String {
        """
        {"source": {"lock": {"version": 1, "submission": {"source": {"type": "repo", "source": "/srv/repo", "packages": ["ed"]},
        "arches": ["x86_64"]}, "pins": {"repositories": [{"location": "/srv/repo", "repomd": "\(checksum)"}], "lookaside": []},
        "packages": [{"checksum": "\(checksum)", "nevra": "\(name)-1-1.x86_64"}]}}}
        """
    }

    private static func digest(_ name: String) -> String {
        PackageLock([.init(checksum: checksum, nevra: "\(name)-1-1.x86_64")]).digest
    }

    @Test("the packages of a lock file are stored with its compose, and not if the sender has reached its limit")
    func account() async throws {
        var rule = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        rule.limits.waiting = 1
        let rules = AccessRules(clients: [rule])
        try await FrontendFixture.with(configure: {
            $0.access = .named
            $0.access.rules = rules
        }) { frontend in
            let store = frontend.database.store
            let accepted = try await frontend.by("joe").post(Self.body("ed")).status
            #expect(accepted == 200)
            let stored = try await store.lock(Self.digest("ed"))?.packages.map(\.nevra)
            #expect(stored == ["ed-1-1.x86_64"])
            let refused = try await frontend.by("joe").post(Self.body("vi")).status
            #expect(refused == 429)
            let unstored = try await store.lock(Self.digest("vi"))
            #expect(unstored == nil)
        }
    }

    @Test("a stranger beyond the limit of its address stores no lock file, and neither does a request that a rule refuses")
    func stranger() async throws {
        try await FrontendFixture.with(.live, configure: { $0.callers = CallerLimits(waitingComposes: 1) }) { frontend in
            let accepted = try await frontend.post(Self.body("ed")).status
            #expect(accepted == 200)
            let refused = try await frontend.post(Self.body("vi")).status
            #expect(refused == 429)
            let unstored = try await frontend.database.store.lock(Self.digest("vi"))
            #expect(unstored == nil)
        }
        var rule = ClientRule(name: "everyone", members: Members(groups: ["clients"]))
        rule.sourceTypes = AllowedWords(["tag"])
        let rules = AccessRules(clients: [rule])
        try await FrontendFixture.with(configure: {
            $0.access = .named
            $0.access.rules = rules
        }) { frontend in
            let refused = try await frontend.by("joe").post(Self.body("ed")).status
            #expect(refused == 403)
            let unstored = try await frontend.database.store.lock(Self.digest("ed"))
            #expect(unstored == nil)
        }
    }
}
