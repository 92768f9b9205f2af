import AsyncHTTPClient
import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// A frontend and two workers, each a process of its own.
@Suite(.timeLimit(.minutes(5))) struct TwoWorkersTests {
    @Test("twenty composes at once are all made, each by one attempt, and both workers have their share")
    func twenty() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "libed-data-1.1-2.noarch.rpm") { repository in
            try await TestService.with(urls: [repository.url]) { service in
                try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                    try await withWorker("one", of: service, at: frontend.url) {
                        try await withWorker("two", of: service, at: frontend.url) {
                            try await composeTwenty(from: repository, service, frontend)
                        }
                    }
                }
            }
        }
    }

    private func withWorker(
        _ name: String, of service: TestService, at url: String, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        let configuration = try service.configuration("\(name).yaml") {
            $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(url)\"}\nworker: {name: \(name), slots: 1}")
        }
        try await ServerProcess.with("worker", configuration: configuration) { _ in try await body() }
    }

    private func composeTwenty(from repository: GatedRepository, _ service: TestService, _ frontend: ServerProcess) async throws {
        let body = """
            {"source": {"type": "repo", "source": "\(repository.url)", "packages": ["libed-data"]}, "flags": ["no_deps", "no_reuse"]}
            """
        let ids = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let answer = try await frontend.post(body)
                    return try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted()
        }
        // Nothing ends before both workers have begun, since the source holds back what all of them need.
        try await service.awaitChange {
            let workers = try await service.database.pool.query("SELECT count(DISTINCT worker) AS n FROM attempts")
            return try workers[0].decode(Int.self, "n") == 2 ? () : nil
        }
        await repository.gate.send(())
        for id in ids {
            let compose = try await service.await(id, .done, .failed)
            #expect(compose.state == .done)
            #expect(compose.resultOf == id)
            let repoFile = try await frontend.http(.GET, "/composes/odcs-\(id)/compose/Temporary/odcs-\(id).repo").text
            #expect(repoFile.contains("baseurl=\(frontend.url)/composes/odcs-\(id)/compose/Temporary/$basearch/os\n"))
        }
        let attempts = try await service.database.pool.query("SELECT compose_id, worker, outcome FROM attempts ORDER BY compose_id")
        #expect(try attempts.map { try $0.decode(Int.self, "compose_id") } == ids)
        #expect(try attempts.allSatisfy { try $0.decode(String?.self, "outcome") == "done" })
        #expect(Set(try attempts.map { try $0.decode(String.self, "worker") }) == ["one", "two"])
    }
}
