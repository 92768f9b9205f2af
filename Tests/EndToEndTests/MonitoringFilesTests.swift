import ComposeTestKit
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// The dashboard and the alarms that operators get.
@Suite(.timeLimit(.minutes(5))) struct MonitoringFilesTests {
    private static let packaging = Checkout.testsRepo.removingLastComponent().appending("packaging")

    /// Returns the names of metrics in a file, without the endings of histograms.
    private static func metrics(of file: String) throws -> Set<String> {
        let text = try String(contentsOfFile: packaging.appending(file).string, encoding: .utf8)
        return Set(
            text.matches(of: /\b(?:odcs|process)_[a-z_]+/).map { match in
                var name = String(match.output)
                for ending in ["_bucket", "_sum", "_count"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
                return name
            })
    }

    @Test("a frontend has each metric that the dashboard and the alarms name")
    func names() async throws {
        try await TestService.with(more: "auth: {mechanisms: [tokens]}") { service in
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let text = try await frontend.http(.GET, "/api/1/metrics/").text
                let known = Set(text.matches(of: #/# TYPE ([a-z_]+) /#).map { String($0.output.1) })
                for file in ["grafana.json", "alerts.yaml"] {
                    let named = try Self.metrics(of: file)
                    #expect(named.count > 10)
                    #expect(named.subtracting(known) == [], "\(file)")
                }
            }
        }
    }

    @Test("promtool takes the metrics and the alarms, and the dashboard is what its script writes")
    func promtool() async throws {
        try await Program.succeed(Self.packaging.removingLastComponent().appending("scripts/check-alerts").string)
        try await TestService.with { service in
            try await ServerProcess.with("frontend", configuration: service.configuration) { frontend in
                let url = "\(frontend.url)/api/1/metrics/"
                let checked = try await Program.run(["sh", "-c", "curl -s \(url) | promtool check metrics"])
                #expect(checked.isSuccess, "\(checked)")
            }
        }
    }
}
