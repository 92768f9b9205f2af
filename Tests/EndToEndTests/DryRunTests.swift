import ComposeModel
import Foundation
import ImageModel
import SystemPackage
import Testing

/// Requests that only ask what a compose would have.
@Suite(.timeLimit(.minutes(5))) struct DryRunTests {
    private static func dryRun(_ packages: [String], _ server: ServerProcess, members: String = "") async throws -> DryRunDocument {
        let names = packages.map { "\"\($0)\"" }.joined(separator: ", ")
        let body = """
            {"source": {"type": "repo", "source": "\(Checkout.testsRepo)", "packages": [\(names)]}\(members)}
            """
        let answer = try await server.post(body, to: "/api/1/composes/?dry_run=1")
        #expect(answer.status == 200, "\(answer.text)")
        return try JSONDecoder().decode(DryRunDocument.self, from: answer.body)
    }

    @Test("a dry run has exactly the packages, sizes and findings of the compose, leaves nothing, and then names the compose to reuse")
    func same() async throws {
        try await SharedService.with(more: "") { shared in
            let server = shared.server
            let found = try await Self.dryRun(["ed", "ed-suite"], server)
            #expect(found.outcome == .build && found.reuses == nil && found.failure == nil)
            #expect(try await server.odcs("list", "--json").output.contains("\"total\": 0"))
            let files = try FileManager.default.contentsOfDirectory(atPath: shared.service.composes.string)
            #expect(files.allSatisfy { !$0.hasPrefix("odcs-") })

            let compose = FinishedCompose(
                document: try await server.compose("repo", Checkout.testsRepo.string, "ed", "ed-suite"), in: shared.service.composes)
            let lock = try compose.lock
            #expect(Set(found.trees.flatMap(\.packages)) == Set(lock.packages.map(\.nevra)))
            #expect(found.trees.map(\.bytes).reduce(0, +) == lock.packages.map(\.size).reduce(0, +))
            #expect(compose.reason.dropFirst().allSatisfy { line in found.findings.contains { line.hasPrefix($0) || $0.hasPrefix(line) } })

            let again = try await Self.dryRun(["ed", "ed-suite"], server)
            #expect(again.outcome == .reuse && again.reuses == compose.document.id)
            #expect(try await Self.dryRun(["ed", "ed-suite"], server, members: ", \"flags\": [\"no_reuse\"]").outcome == .build)
        }
    }

    @Test("a dry run of a request that would fail has the failure of the compose, and the command line says so")
    func failure() async throws {
        try await SharedService.with(more: "") { shared in
            let found = try await Self.dryRun(["no-such-package"], shared.server)
            #expect(found.outcome == .failure && found.failure?.code == .packageNotFound)
            let shown = try await shared.server.odcs("submit", "repo", Checkout.testsRepo.string, "no-such-package", "--dry-run")
            #expect(shown.status == 1 && shown.output.hasPrefix("The compose would fail: "), "\(shown.output)")
            let good = try await shared.server.odcs("submit", "repo", Checkout.testsRepo.string, "ed", "--dry-run")
            #expect(good.isSuccess && good.output.contains("\n  ed-1.20-3.x86_64"), "\(good.output)")
            let odd = try await shared.server.post("{}", to: "/api/1/composes/?dry_run=maybe")
            #expect(odd.status == 400)
        }
    }

    @Test("while an equal compose is being built, a dry run names it, and afterwards its result")
    func joins() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url]) { service, server in
                let body = #"{"source": {"type": "repo", "source": "\#(repository.url)", "packages": ["ed"]}}"#
                let id = try JSONDecoder().decode(ComposeDocument.self, from: try await server.post(body).body).id
                _ = await repository.wasAsked.value
                func dryRun() async throws -> DryRunDocument {
                    try JSONDecoder().decode(
                        DryRunDocument.self, from: try await server.post(body, to: "/api/1/composes/?dry_run=1").body)
                }
                let meanwhile = try await dryRun()
                #expect(meanwhile.outcome == .join && meanwhile.joins == id && meanwhile.reuses == nil)
                await repository.gate.send(())
                _ = try await service.await(id, .done)
                let afterwards = try await dryRun()
                #expect(afterwards.outcome == .reuse && afterwards.reuses == id && afterwards.joins == nil)
            }
        }
    }

    @Test("the directory of a question whose worker was killed is below the target directory, and the sweeper removes it")
    func leftDirectory() async throws {
        try await TestService.with { service in
            let left = service.composes.appending(".work/odcs-0.\(UUID().uuidString.lowercased())")
            try FileManager.default.createDirectory(atPath: left.string, withIntermediateDirectories: true)
            try await ServerProcess.with(configuration: service.configuration) { server in
                await server.logs("removed the directory of an attempt that has ended")
                #expect(!FileManager.default.fileExists(atPath: left.string))
            }
        }
    }

    @Test("a dry run waits for a worker that begins after it")
    func workers() async throws {
        try await TestService.with { service in
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let question = Task { try await Self.dryRun(["ed"], frontend).outcome }
                let configuration = try service.configuration("worker.yaml") {
                    $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(frontend.url)\"}")
                }
                let outcome = try await ServerProcess.with("worker", configuration: configuration) { _ in try await question.value }
                #expect(outcome == .build)
            }
        }
    }
}
