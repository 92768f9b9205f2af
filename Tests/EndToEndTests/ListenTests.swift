import Foundation
import SystemPackage
import Testing

@Suite struct ListenTests {
    @Test("a port that is in use is said to be, and the server ends", .timeLimit(.minutes(2)))
    func portInUse() async throws {
        try await TestService.running { service, server in
            let port = try #require(URL(string: server.url)?.port)
            let configuration = try service.configuration("second.yaml") {
                $0.replacing("frontend: {port: 0}", with: "frontend: {port: \(port)}")
            }
            let second = try await Program.run([Program.own("odcs-server"), "run", "--config", configuration.string])
            #expect(second.status == 1)
            #expect(
                second.complaints.hasSuffix(
                    """
                    Error: Cannot listen on 127.0.0.1:\(port): Address already in use. Another address can be given by frontend.host and \
                    frontend.port in the configuration file; port 0 takes one that is free.

                    """))
        }
    }
}
