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
                            + "Its target directory default is not the one that the rest of this service uses. "
                            + "The operator of this service finds the remedy in its log.")
                    try await worker("good", of: service, at: url) {
                        let end = try await service.await(id, .done, .failed)
                        #expect(end.state == .done)
                    }
                }
            }
        }
    }

    @Test("a service of one process whose target directory was emptied waits until the operator has written the id into it, and goes on")
    func emptied() async throws {
        try await TestService.with { service in
            let made = try await ServerProcess.with(configuration: service.configuration) { server in
                try await server.compose("repo", Checkout.testsRepo.string, "ed")
            }
            #expect(made.stateName == "done")
            try FileManager.default.removeItem(atPath: service.composes.string)
            let (waiting, line) = try await ServerProcess.with(configuration: service.configuration) { server in
                await server.logs("is not the one that the rest of this service uses")
                let line = try #require(server.logged.firstMatch(of: /write the line ([0-9a-f-]+) to the file/).map { String($0.output.1) })
                // An equal request does not get the lost result.
                let id = try await server.submit("repo", Checkout.testsRepo.string, "ed").id
                let refused = try await service.await(id) { $0.state == .wait && $0.stateReason != nil }
                let reason = refused.stateReason ?? ""
                #expect(reason.hasPrefix("It waits for a worker that can make it. The worker "), "\(reason)")
                #expect(
                    reason.hasSuffix(
                        " cannot. Its target directory default is not the one that the rest of this service uses. "
                            + "The operator of this service finds the remedy in its log."), "\(reason)")
                // The directory of the first compose may be missing only because it is not mounted.
                #expect(try await server.compose(made.id).stateName == "done")
                return (id, line)
            }
            try Data("\(line)\n".utf8).write(to: URL(filePath: service.marker.string))
            try await ServerProcess.with(configuration: service.configuration) { _ in
                let end = try await service.await(waiting, .done, .failed)
                #expect(end.state == .done, "\(end.stateReason ?? "")")
            }
            #expect(FileManager.default.fileExists(atPath: service.composes.appending("odcs-\(waiting)").string))
        }
    }

    @Test("an emptied target directory without composes is replaced by the service of one process itself")
    func replaced() async throws {
        try await TestService.with { service in
            let first = try await ServerProcess.with(configuration: service.configuration) { _ in
                try String(contentsOfFile: service.marker.string, encoding: .utf8)
            }
            try FileManager.default.removeItem(atPath: service.composes.string)
            try await ServerProcess.with(configuration: service.configuration) { server in
                #expect(server.logged.contains("a target directory without composes was replaced"), "\(server.logged)")
                let compose = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                #expect(compose.stateName == "done")
            }
            #expect(try String(contentsOfFile: service.marker.string, encoding: .utf8) == first)
        }
    }
}

extension TestService {
    /// The file with the id of the target directory.
    fileprivate var marker: FilePath { composes.appending(".odcs-target") }
}
