import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// Nothing is lost when workers end, however they end.
@Suite struct TakeoverTests {
    /// How the attempts at a compose ended, in order.
    private func outcomes(of id: Int, in service: TestService) async throws -> [String?] {
        try await service.database.pool.query("SELECT outcome FROM attempts WHERE compose_id = \(id) ORDER BY number")
            .map { try $0.decode(String?.self, "outcome") }
    }

    @Test(
        "a worker killed in the middle of a compose is replaced long before its lease ends, and the compose is done, once",
        .timeLimit(.minutes(3)))
    func killed() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.with(urls: [repository.url], more: "worker: {lease_seconds: 3600}") { service in
                try await ServerProcess.with(configuration: service.configuration) { first in
                    let submitted = try await first.odcs("submit", "repo", repository.url, "ed", "--no-wait", "--json")
                    let id = try JSONDecoder().decode(ComposeDocument.self, from: Data(submitted.output.utf8)).id
                    _ = await repository.wasAsked.value
                    #expect(try FileManager.default.contentsOfDirectory(atPath: service.composes.appending(".work").string).count == 1)
                    await first.kill()
                    await repository.gate.send(())

                    try await ServerProcess.with(configuration: service.configuration) { _ in
                        let compose = try await service.await(id, .done, .failed)
                        #expect(compose.state == .done)
                        #expect(try await outcomes(of: id, in: service) == ["lost", "done"])
                    }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: service.composes.appending(".work").string) == [])
                    let dones = try await service.database.pool.query(
                        "SELECT count(*) AS n FROM events WHERE compose_id = \(id) AND state = 2")
                    #expect(try dones[0].decode(Int.self, "n") == 1)
                }
            }
        }
    }

    @Test("a worker that was stopped for longer than its lease writes nothing to what another one has published", .timeLimit(.minutes(3)))
    func zombie() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.with(urls: [repository.url], more: "worker: {lease_seconds: 5}") { service in
                try await ServerProcess.with(configuration: service.configuration) { first in
                    let submitted = try await first.odcs("submit", "repo", repository.url, "ed", "--no-wait", "--json")
                    let id = try JSONDecoder().decode(ComposeDocument.self, from: Data(submitted.output.utf8)).id
                    _ = await repository.wasAsked.value
                    #expect(Foundation.kill(first.pid, SIGSTOP) == 0)
                    await repository.gate.send(())
                    try await ServerProcess.with(configuration: service.configuration) { second in
                        #expect(try await service.await(id, .done, .failed).state == .done)
                        let compose = FinishedCompose(document: try await second.compose(id), in: service.composes)
                        let (log, files) = (try compose.data("pungi-stderr.log"), try compose.files())
                        #expect(Foundation.kill(first.pid, SIGCONT) == 0)
                        // It has a word with everybody before it ends.
                        await first.terminate()
                        #expect(try compose.data("pungi-stderr.log") == log)
                        #expect(try compose.files() == files)
                        #expect(try await outcomes(of: id, in: service) == ["lost", "done"])
                    }
                }
            }
        }
    }

    @Test("the log of a removed compose, which a worker left when it was lost, is removed later", .timeLimit(.minutes(3)))
    func logLeftBehind() async throws {
        try await TestService.with(more: "worker: {expire_seconds: 1}") { service in
            let log = service.composes.appending(".logs/odcs-1.log").string
            try await ServerProcess.with(configuration: service.configuration) { server in
                _ = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                _ = try await server.http(.DELETE, "/api/1/composes/1")
                _ = try await service.await(1, .removed)
            }
            for name in [log, service.composes.appending(".logs/odcs-2.log").string] {
                try Data("Begun.\n".utf8).write(to: URL(filePath: name))
            }
            try await ServerProcess.with(configuration: service.configuration) { server in
                while FileManager.default.fileExists(atPath: log) { _ = try await server.http(.GET, "/api/1/about/") }
            }
            #expect(FileManager.default.fileExists(atPath: service.composes.appending(".logs/odcs-2.log").string), "of no compose here")
        }
    }

    @Test("a worker that is told to stop gives its compose back at once, and the attempt does not count", .timeLimit(.minutes(3)))
    func stopped() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.with(urls: [repository.url]) { service in
                let id = try await ServerProcess.with(configuration: service.configuration) { server in
                    let submitted = try await server.odcs("submit", "repo", repository.url, "ed", "--no-wait", "--json")
                    let id = try JSONDecoder().decode(ComposeDocument.self, from: Data(submitted.output.utf8)).id
                    _ = await repository.wasAsked.value
                    await server.terminate()
                    return id
                }
                #expect(try await service.store.compose(id)?.state == .wait)
                #expect(try await outcomes(of: id, in: service) == ["released"])
                #expect(try FileManager.default.contentsOfDirectory(atPath: service.composes.appending(".work").string) == [])
                await repository.gate.send(())
                try await ServerProcess.with(configuration: service.configuration) { _ in
                    let compose = try await service.await(id, .done, .failed)
                    #expect(compose.state == .done)
                }
            }
        }
    }

    @Test("a compose that is being made is canceled at once, and leaves no directory", .timeLimit(.minutes(3)))
    func canceled() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url]) { service, server in
                let submitted = try await server.odcs("submit", "repo", repository.url, "ed", "--no-wait", "--json")
                let id = try JSONDecoder().decode(ComposeDocument.self, from: Data(submitted.output.utf8)).id
                _ = await repository.wasAsked.value
                #expect(try await server.http(.DELETE, "/api/1/composes/\(id)").status == 202)
                let compose = try #require(try await service.store.compose(id))
                #expect(compose.state == .failed)
                #expect(compose.stateReason == "Canceled by unknown")
                #expect(try await outcomes(of: id, in: service) == ["canceled"])
                // The slot is free again while the source still holds its answer back.
                #expect(try await server.compose("repo", Checkout.testsRepo.string, "ed").stateName == "done")
                await server.terminate()
                #expect(try FileManager.default.contentsOfDirectory(atPath: service.composes.appending(".work").string) == [])
                #expect(!FileManager.default.fileExists(atPath: service.composes.appending("odcs-\(id)").string))
            }
        }
    }
}
