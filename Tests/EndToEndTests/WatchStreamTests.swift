import ComposeModel
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// `odcs watch`, which reads the stream of a compose.
@Suite(.timeLimit(.minutes(10)))
struct WatchStreamTests {
    /// The program of users, for a service at `url`.
    private func watch(_ id: Int, at url: String) -> Task<Program, any Error> {
        Task {
            try await Program.run(
                [Program.own("odcs"), "watch", "\(id)", "--server", url],
                environment: [
                    "ODCS_SERVER": nil, "ODCS_TOKEN": nil, "ODCS_PROFILE": nil, "XDG_CONFIG_HOME": "/nonexistent", "HOME": "/nonexistent",
                ])
        }
    }

    /// Waits until a reader of events is connected.
    private func isStreaming(_ server: ServerProcess) async throws {
        while try await !server.http(.GET, "/api/1/metrics/").text.contains("\nodcs_event_streams 1") {}
    }

    @Test(
        "watch prints each line of the log once and in order, although the frontend ends and starts again", arguments: [true, false])
    func restart(isKilled: Bool) async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.with(urls: [repository.url]) { service in
                try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                    let url = frontend.url
                    let workers = try service.configuration("worker.yaml") {
                        $0.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(url)\"}")
                    }
                    let again = try service.configuration("again.yaml") {
                        $0.replacing("frontend: {port: 0}", with: "frontend: {port: \(url.split(separator: ":").last ?? "0")}")
                    }
                    try await ServerProcess.with("worker", configuration: workers) { _ in
                        let id = try await frontend.submit("repo", repository.url, "ed").id
                        _ = await repository.wasAsked.value
                        let watching = watch(id, at: url)
                        try await isStreaming(frontend)
                        if isKilled { await frontend.kill() } else { await frontend.terminate() }
                        try await ServerProcess.with("frontend", configuration: again) { second in
                            try await isStreaming(second)
                            await repository.gate.send(())
                            let program = try await watching.value
                            #expect(program.status == 0, "\(program)")
                            let document = try await second.compose(id)
                            let log = try await second.http(.GET, "\(document.toplevelURL)/\(ComposeLayout.log)").text
                            #expect(log.split(separator: "\n").count > 3)
                            #expect(program.output.hasPrefix(log + "Compose \(id) is done.\n"), "\(program)")
                        }
                    }
                }
            }
        }
    }

    @Test("watch does without a stream if the service has no place for one")
    func noPlace() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url], more: "events: {max_streams: 0}") { service, server in
                let id = try await server.submit("repo", repository.url, "ed").id
                _ = await repository.wasAsked.value
                let watching = watch(id, at: server.url)
                await repository.gate.send(())
                let program = try await watching.value
                let document = try await server.compose(id)
                let log = try await server.http(.GET, "\(document.toplevelURL)/\(ComposeLayout.log)").text
                #expect(program.output.hasPrefix(log + "Compose \(id) is done.\n"), "\(program)")
            }
        }
    }
}
