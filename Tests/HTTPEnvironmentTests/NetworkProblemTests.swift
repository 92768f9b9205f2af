import AsyncHTTPClient
import Glibc
import HTTPEnvironment
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Testing

@Suite("Network problems")
struct NetworkProblemTests {
    private struct Unknown: Error {}

    @Test(
        "errors of the HTTP client and of the network become words after the name of a server",
        arguments: [
            (HTTPClientError.connectTimeout, "did not accept a connection within 10 seconds"),
            (ChannelError.connectTimeout(.seconds(10)), "did not accept a connection within 10 seconds"),
            (HTTPClientError.tlsHandshakeTimeout, "did not complete the TLS handshake within 10 seconds"),
            (HTTPClientError.readTimeout, "did not answer getTag within 30 seconds"),
            (HTTPClientError.deadlineExceeded, "did not answer getTag within 30 seconds"),
            (HTTPClientError.remoteConnectionClosed, "closed the connection before it answered getTag"),
            (HTTPParserError.invalidEOFState, "closed the connection before it answered getTag"),
            (NIOSSLError.uncleanShutdown, "closed the connection before it answered getTag"),
            (HTTPParserError.invalidVersion, "does not speak HTTP"),
            (IOError(errnoCode: ECONNREFUSED, reason: "connect"), "does not accept connections"),
            (IOError(errnoCode: ECONNRESET, reason: "read"), "closed the connection before it answered getTag"),
            (NIOSSLExtraError.failedToValidateHostname, "has a certificate for another host"),
            (Unknown(), "cannot be reached"),
        ] as [(any Error, String)])
    func words(error: any Error, words: String) {
        #expect(NetworkProblem(error).words(to: "getTag", connecting: .seconds(10), answering: .seconds(30)) == words)
    }

    @Test("without limits and questions the words name none")
    func bareWords() {
        #expect(NetworkProblem(HTTPClientError.connectTimeout).words() == "did not accept a connection in time")
        #expect(NetworkProblem(HTTPClientError.readTimeout).words() == "did not answer in time")
    }

    @Test("a name without an address and a closed port are different problems")
    func connections() async throws {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = OutboundClient(configuration, environment: HTTPEnvironment([:]))
        func problem(_ url: String) async -> NetworkProblem? {
            do {
                _ = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
                return nil
            } catch {
                return NetworkProblem(error)
            }
        }
        #expect(await problem("http://odcs.invalid") == .noAddress(host: "odcs.invalid"))
        #expect(await problem("http://127.0.0.1:1") == .noConnection(errno: ECONNREFUSED))
        try await client.shutdown()
    }
}
