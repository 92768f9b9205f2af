import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import Postgres
import SystemPackage
import Testing

/// Workers of one service that are configured differently.
@Suite(.timeLimit(.minutes(5))) struct UnlikeWorkersTests {
    private func worker(
        _ name: String, of service: TestService, at url: String, replacing text: String = "", with other: String = "",
        _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let configuration = try service.configuration("\(name).yaml") {
            let own = $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(url)\"}\nworker: {name: \(name), slots: 1}")
            return text.isEmpty ? own : own.replacing(text, with: other)
        }
        try await ServerProcess.with("worker", configuration: configuration) { _ in try await body() }
    }

    private func outcomes(of id: Int, in service: TestService) async throws -> [String] {
        try await service.database.pool.query(
            "SELECT worker || ' ' || outcome AS it FROM attempts WHERE compose_id = \(id) ORDER BY number"
        )
        .map { try $0.decode(String.self, "it") }
    }

    @Test("a compose that one worker may not read the source of, or has no target directory for, is made by the next one")
    func givesBack() async throws {
        let more = "composes: {targets: {default: {directory: DIR/composes}, second: {directory: DIR/second}}}"
        try await TestService.with(more: "") { service in
            let configuration = try service.configuration("all.yaml") { $0 + "\n" + more.replacing("DIR", with: service.directory.string) }
            let service = TestService(database: service.database, directory: service.directory, configuration: configuration)
            try await ServerProcess.with("frontend", configuration: configuration) { frontend in
                let url = frontend.url
                try await worker(
                    "odd", of: service, at: url, replacing: "[\"\(Checkout.testsRepo)\"]", with: "[\"\(service.directory)\"]"
                ) {
                    let first = try await frontend.submit("repo", Checkout.testsRepo.string, "ed").id
                    let refused = try await service.await(first) { $0.state == .wait && $0.stateReason != nil }
                    #expect(
                        refused.stateReason?.hasPrefix(
                            "It waits for a worker that can make it. The worker odd cannot. The repository \(Checkout.testsRepo) may not be read"
                        )
                            == true, "\(refused.stateReason ?? "")")
                    try await worker(
                        "lacking", of: service, at: url, replacing: ", second: {directory: \(service.directory)/second}", with: ""
                    ) {
                        let end = try await service.await(first, .done, .failed)
                        #expect(end.state == .done)
                        let second = try await frontend.submit("repo", Checkout.testsRepo.string, "ed-vi", "--target-dir", "second").id
                        let waiting = try await service.await(second) { $0.state == .wait && $0.attempts == 2 }
                        #expect(waiting.stateReason?.contains("cannot") == true)
                        try await worker("good", of: service, at: url) {
                            let end = try await service.await(second, .done, .failed)
                            #expect(end.state == .done)
                        }
                        #expect(try await outcomes(of: second, in: service).sorted() == ["good done", "lacking refused", "odd refused"])
                    }
                    #expect(try await outcomes(of: first, in: service) == ["odd refused", "lacking done"])
                }
            }
        }
    }

    @Test("a worker whose target directory is not the one that the others share makes nothing")
    func notShared() async throws {
        try await TestService.with { service in
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let url = frontend.url
                let own = "composes: {targets: {default: {directory: \"\(service.directory)/private\"}}}\nfrontend: "
                try await worker("lone", of: service, at: url, replacing: "frontend: ", with: own) {
                    let id = try await frontend.submit("repo", Checkout.testsRepo.string, "ed").id
                    let refused = try await service.await(id) { $0.state == .wait && $0.stateReason != nil }
                    #expect(
                        refused.stateReason
                            == "It waits for a worker that can make it. The worker lone cannot. "
                            + "Its target directory default is not the one that the rest of this service uses.")
                    try await worker("good", of: service, at: url) {
                        let end = try await service.await(id, .done, .failed)
                        #expect(end.state == .done)
                    }
                }
            }
        }
    }

    @Test("a service of one process goes on when its target directory was emptied or moved")
    func moved() async throws {
        try await TestService.with { service in
            for _ in 0..<2 {
                try await ServerProcess.with(configuration: service.configuration) { server in
                    let compose = try await server.compose("repo", Checkout.testsRepo.string, "ed", "--no-reuse")
                    #expect(compose.stateName == "done")
                }
                try FileManager.default.removeItem(atPath: service.composes.string)
            }
        }
    }
}
