import AsyncHTTPClient
public import HTTPEnvironment
import Identity
import NIOCore
import NIOHTTP1
import NIOSSL

/// A provider connection sends requests to identity providers, and reads JSON answers within bounds.
/// It follows no redirects, because a token must not reach another host.
public final class ProviderConnection: Sendable {
    private static let mostBytes = 1 << 20
    private static let time = Duration.seconds(5)

    private let client: OutboundClient

    /// - Parameter ca: A PEM file with the certificates to trust. `nil` means those of the environment or
    ///   of the system.
    public init(ca: String? = nil, environment: HTTPEnvironment = .process) {
        var settings = HTTPClient.Configuration()
        settings.timeout.connect = TimeAmount(Self.time)
        settings.timeout.read = TimeAmount(Self.time)
        settings.connectionPool.retryConnectionEstablishment = false
        if let ca {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(ca)
            settings.tlsConfiguration = tls
        }
        client = OutboundClient(settings, environment: environment)
    }

    /// Closes all connections. Nothing can be sent afterwards.
    public func shutdown() async {
        // An error would say that the client was shut down before.
        try? await client.shutdown()
    }

    func get(_ url: ProviderURL, bearer: Secret? = nil) async throws(ProviderFailure) -> Claims {
        var request = HTTPClientRequest(url: url.text)
        if let bearer { request.headers.add(name: "authorization", value: "Bearer \(bearer.text)") }
        return try await claims(request, from: url)
    }

    func post(_ form: [(String, String)], to url: ProviderURL, authorization: String?) async throws(ProviderFailure) -> Claims {
        var request = HTTPClientRequest(url: url.text)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/x-www-form-urlencoded")
        if let authorization { request.headers.add(name: "authorization", value: authorization) }
        request.body = .bytes(ByteBuffer(string: form.map { "\($0.formEncoded)=\($1.formEncoded)" }.joined(separator: "&")))
        return try await claims(request, from: url)
    }

    private func claims(_ request: HTTPClientRequest, from url: ProviderURL) async throws(ProviderFailure) -> Claims {
        var request = request
        request.headers.add(name: "user-agent", value: "odcs")
        request.headers.add(name: "accept", value: "application/json")
        request.headers.add(name: "accept-encoding", value: "identity")
        let response: HTTPClientResponse
        let body: [UInt8]
        do {
            // The call has no logger, because the client would log the request with its credentials.
            response = try await client.execute(request, timeout: TimeAmount(Self.time))
            guard response.status == .ok else {
                throw ProviderFailure(
                    "\(url) answers with status \(response.status.code)",
                    isRefusal: [.unauthorized, .forbidden].contains(response.status)
                        || request.method == .POST && response.status == .badRequest)
            }
            body = try await Self.body(of: response, from: url)
        } catch let failure as ProviderFailure {
            throw failure
        } catch {
            throw ProviderFailure("\(url) \(NetworkProblem(error).words(answering: Self.time))")
        }
        guard let claims = Claims(body) else { throw ProviderFailure("the answer of \(url) is not a JSON object") }
        return claims
    }

    private static func body(of response: HTTPClientResponse, from url: ProviderURL) async throws -> [UInt8] {
        let end = ContinuousClock.now + time
        var body: [UInt8] = []
        for try await piece in response.body {
            guard piece.readableBytes <= mostBytes - body.count else {
                throw ProviderFailure("the answer of \(url) is larger than \(mostBytes) bytes")
            }
            guard ContinuousClock.now < end else { throw ProviderFailure("\(url) did not answer completely in time") }
            body += piece.readableBytesView
        }
        return body
    }
}

extension String {
    /// The text as a value of a form, in which only letters, digits and four signs stand for themselves.
    var formEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
