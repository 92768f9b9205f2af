import ArgumentParser
import AsyncHTTPClient
import ComposeModel
import Foundation
import NIOCore
import NIOSSL

/// The command `odcs-server healthcheck`: asks the frontend of this host whether it can serve requests.
/// Container engines call it.
struct HealthCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Ask the frontend on this host whether it can serve requests.",
        discussion: "Exit status 1 if it cannot, or if it does not answer. A worker alone has no frontend to ask.")

    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Ask only whether the process answers, not whether its database and directories are there.")
    var alive = false

    func run() async throws {
        let configuration = try options.load()
        guard configuration.frontend.port != 0 else {
            throw ValidationError("frontend.port is 0, so the port is known to the service alone")
        }
        let url = Self.base(of: configuration) + (alive ? "/healthz" : "/readyz")
        // The certificate is for the name of the service, and this host is asked by its address.
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        let client = HTTPClient(configuration: .init(tlsConfiguration: tls))
        let outcome = await Result {
            try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(10)).body.collect(upTo: 1 << 16)
        }
        try await client.shutdown()
        guard case .success(let body) = outcome else { throw Unhealthy(description: "\(url) does not answer.") }
        switch Answer(body) {
        case .healthy(let status): print(status)
        case .unhealthy(let problem): throw Unhealthy(description: problem)
        case nil: throw Unhealthy(description: "What answers at \(url) is not this service.")
        }
    }

    private struct Unhealthy: Error, CustomStringConvertible {
        let description: String
    }

    /// The body of an answer: a status, or the message of an error.
    private enum Answer {
        case healthy(String)
        case unhealthy(String)

        private struct Health: Decodable {
            let status: String
        }

        private struct Refusal: Decodable {
            let message: String
        }

        /// Returns `nil` for a body in another form, which is not an answer of this service.
        init?(_ body: ByteBuffer) {
            let bytes = Data(body.readableBytesView)
            if let health = try? JSONDecoder().decode(Health.self, from: bytes) {
                self = .healthy(health.status)
            } else if let refusal = try? JSONDecoder().decode(Refusal.self, from: bytes) {
                self = .unhealthy(refusal.message)
            } else {
                return nil
            }
        }
    }

    /// Returns the address of the frontend for a program on the same host.
    static func base(of configuration: ServerConfiguration) -> String {
        let host =
            switch configuration.frontend.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "::1"
            case let host: host
            }
        return "\(configuration.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):\(configuration.frontend.port)"
    }
}
