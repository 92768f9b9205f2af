import ComposeClient
import Foundation
import ImageModel
import ScriptedService
import Testing

@testable import odcs

@Suite("odcs rebuild, rebuilds")
struct RebuildTests {
    private static let repositories = [
        3: "r.example.org/team/base", 4: "r.example.org/team/app", 5: "r.example.org/team/vendor", 6: "r.example.org/team/suse",
    ]

    private static func plan() throws -> RebuildPlan {
        let old = InstalledPackage(name: "openssl-libs", evr: EVR(epoch: 1, version: "3.0.7", release: "27.el9"), arch: "x86_64")
        let newest = EVR(epoch: 1, version: "3.0.7", release: "28.el9")
        let findings = try ["linux/amd64", "linux/arm64"].map {
            RebuildPlan.PlatformFindings(platform: try Platform($0), findings: [.init(installed: old, newest: newest)])
        }
        return RebuildPlan(rows: [
            .init(image: 3, decision: .build, reason: "installed by it", findings: findings),
            .init(image: 4, decision: .build, reason: "comes with team/base", parents: [3], findings: findings),
            .init(image: 5, decision: .cannotHelp, reason: "cannot be fixed by rebuilding: comes with ubi", findings: [findings[0]]),
            .init(image: 6, decision: .unknown, reason: "the packages for linux/amd64 are not known: ndb"),
        ])
    }

    private static func names() throws -> [Int: ImageRepository] { try repositories.mapValues { try ImageReference($0).repository } }

    /// - Parameter states: The states of the builds 7 and 8. Nil for a rebuild that waits.
    private static func rebuild(_ states: [BuildState]?) throws -> RebuildDocument {
        let submitted = Date(timeIntervalSince1970: 1_795_255_445)
        let rows = try plan().rows.enumerated().map { number, row in
            Rebuild.Row(plan: row, build: number < 2 ? 7 + number : nil, state: number < 2 ? states?[number] : nil)
        }
        return RebuildDocument(
            Rebuild(
                id: 1, owner: "me", compose: 12, reason: RebuildReason(advisory: "RHSA-2026:1234"), dateTag: try ImageTag("20261129"),
                timeSubmitted: submitted, timePlanned: states == nil ? nil : submitted, rows: states == nil ? [] : rows),
            repositories: try names())
    }

    private static func build(_ id: Int, _ state: BuildState) throws -> BuildDocument {
        let definition = ImageDefinition(source: .containerfile("FROM scratch\n"), platforms: [try Platform("linux/amd64")])
        let build = Build(
            id: id, owner: "me", image: id - 4, request: BuildRequest(definition), dateTag: try ImageTag("20261129"), state: state,
            stateReason: state == .failed ? "RUN exited with 1" : nil, digest: state == .done ? ImageDigest(of: [UInt8(id)]) : nil,
            timeSubmitted: Date(timeIntervalSince1970: 1_795_255_445), steps: [])
        return BuildDocument(build, repository: try ImageReference("r.example.org/team/x").repository) { _ in "" }
    }

    @Test("a dry run prints the plan, with the order, the older packages and the cause for each image")
    func dryRun() async throws {
        try await ScriptedService.run { service in
            let plan = RebuildDocument(
                try Self.plan(), compose: 12, reason: RebuildReason(advisory: "RHSA-2026:1234"), selection: RebuildSelection(),
                repositories: try Self.names(), knownImages: 31)
            service.next(try .json(plan))
            let run = try await CommandRun.odcs(
                ["rebuild", "--compose", "12", "--advisory", "RHSA-2026:1234", "--images", "team/*", "--cve", "CVE-1", "--dry-run"],
                server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(
                run.out == """
                    Compose 12 has openssl-libs 1:3.0.7-28.el9 (RHSA-2026:1234). 31 images are known; 3 images have an older one.
                      order  image        platforms    has                          because
                      1      team/base    amd64 arm64  openssl-libs 1:3.0.7-27.el9  installed by it
                      2      team/app     amd64 arm64  openssl-libs 1:3.0.7-27.el9  comes with team/base
                      –      team/vendor  amd64        openssl-libs 1:3.0.7-27.el9  cannot be fixed by rebuilding: comes with ubi
                    The packages of 1 image are not known; --unknown builds them:
                      team/suse: the packages for linux/amd64 are not known: ndb

                    """)
            #expect(service.lines == ["POST /api/1/rebuilds"])
            let sent = try JSONDecoder().decode(RebuildSubmission.self, from: service.calls[0].body)
            #expect(sent.compose == 12)
            #expect(sent.images == ["team/*"])
            #expect(sent.cves == ["CVE-1"])
            #expect(sent.dryRun == true)
        }
    }

    @Test("--wait waits for the compose, the plan and the builds, prints the chain, and ends with 1 if a build failed")
    func waiting() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(try Self.rebuild(nil)), try .json(try Self.rebuild([.wait, .wait])))
            for _ in 1...2 {
                service.next { call in
                    try .json(try Self.build(call.path.hasSuffix("7") ? 7 : 8, call.path.hasSuffix("7") ? .done : .failed))
                }
            }
            service.next(try .json(try Self.rebuild([.done, .failed])))
            let run = try await CommandRun.odcs(
                ["rebuild", "--compose", "12", "--advisory", "RHSA-2026:1234", "--wait", "--quiet"], server: service.address)
            #expect(run.status == .composeFailed, "\(run.err)")
            #expect(
                run.out == """
                    Rebuild 1: failed
                      team/base: RHSA-2026:1234 -> compose 12 -> build 7 -> \(ImageDigest(of: [7]))
                      team/app: RHSA-2026:1234 -> compose 12 -> build 8 -> RUN exited with 1
                      team/vendor: not built: cannot be fixed by rebuilding: comes with ubi
                      team/suse: not built: the packages for linux/amd64 are not known: ndb
                    Log: odcs image log 8

                    """)
        }
    }

    @Test("builds of Koji take the place of the compose, and there is no plan of them")
    func builds() async throws {
        try await ScriptedService.run { service in
            service.next(try .json(try Self.rebuild(nil)))
            let run = try await CommandRun.odcs(["rebuild", "--build", "a-1-1", "--build", "b-1-1"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            let sent = try JSONDecoder().decode(RebuildSubmission.self, from: service.calls[0].body)
            #expect(sent.builds == ["a-1-1", "b-1-1"])
            #expect(sent.compose == nil)
            #expect(run.out == "Rebuild 1 waits for compose 12.\nNext: odcs rebuilds 1\n")
            for wrong in [["--build", "a-1-1", "--compose", "1"], ["--build", "a-1-1", "--dry-run"], []] {
                let refused = try await CommandRun.odcs(["rebuild"] + wrong, server: service.address)
                #expect(refused.status == .usage, "\(wrong)")
            }
            #expect(service.calls.count == 1)
        }
    }

    @Test("rebuilds --cancel cancels one of them, and needs its number")
    func cancel() async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(202, "Rebuild 3 has been canceled."))
            let run = try await CommandRun.odcs(["rebuilds", "3", "--cancel"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(run.out == "Rebuild 3 has been canceled.\n")
            #expect(service.lines == ["DELETE /api/1/rebuilds/3"])
            #expect(try await CommandRun.odcs(["rebuilds", "--cancel"], server: service.address).status == .usage)
        }
    }

    @Test("rebuilds lists them, and shows the chain of one that is done")
    func rebuilds() async throws {
        try await ScriptedService.run { service in
            service.next(
                try .json(try Self.rebuild([.done, .done])), try .json(try Self.build(7, .done)), try .json(try Self.build(8, .done)))
            let run = try await CommandRun.odcs(["rebuilds", "1"], server: service.address)
            #expect(run.status == .success, "\(run.err)")
            #expect(run.out.hasPrefix("Rebuild 1: done\n  team/base: RHSA-2026:1234 -> compose 12 -> build 7 -> sha256:"))
            service.next(try .json(try Self.rebuild(nil)))
            let waits = try await CommandRun.odcs(["rebuilds", "1"], server: service.address)
            #expect(waits.out == "Rebuild 1 waits for compose 12.\nNext: odcs rebuilds 1\n")
        }
    }
}
