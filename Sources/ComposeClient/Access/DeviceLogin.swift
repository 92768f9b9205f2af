import AsyncHTTPClient
import ForeignText
import Foundation
public import HTTPEnvironment
import NIOCore
import NIOHTTP1

/// A device login is the login of a person at an OpenID provider, in a browser on any device
/// (RFC 8628). The person opens an address and enters a code there. Meanwhile the client asks the
/// provider whether it has a token.
public struct DeviceLogin: Sendable {
    /// The address that a person has to open, and the code to enter there.
    public struct Prompt: Hashable, Sendable {
        public let address: String
        public let code: String
        /// The address with the code in it. `nil` if the provider has no such address.
        public let completeAddress: String?
    }

    /// The error for a login that has not succeeded. It has no part of a token.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// One printable line. It can have texts of the provider, so it is bounded.
        public let description: String

        init(_ description: String) { self.description = description.printable(most: 500) }
    }

    private static let mostBytes = 1 << 20
    private static let grant = "urn:ietf:params:oauth:grant-type:device_code"

    private let issuer: String
    private let clientID: String
    private let scopes: [String]
    private let httpClient: OutboundClient
    private let clock: any Clock<Duration>

    /// - Parameters:
    ///   - issuer: The address of the provider, as in `https://id.example.org/realms/main`.
    ///   - clientID: The name by which the provider knows this program. It is a public client.
    ///   - scopes: The scopes that the token shall have.
    /// - Throws: ``Failure`` for an address to which tokens cannot be sent safely.
    public init(
        issuer: String, clientID: String, scopes: [String], httpClient: OutboundClient, clock: any Clock<Duration> = ContinuousClock()
    ) throws(Failure) {
        guard Self.isSafe(issuer) else { throw Failure("the provider '\(issuer)' is not an https address") }
        self.issuer = issuer
        self.clientID = clientID
        self.scopes = scopes
        self.httpClient = httpClient
        self.clock = clock
    }

    /// Returns an access token after the person has logged in.
    ///
    /// - Parameter show: Shows the prompt to the person.
    /// - Throws: ``Failure``, `CancellationError`, or any error of `show`.
    public func token(show: (Prompt) throws -> Void) async throws -> String {
        let base = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        let metadata: Metadata = try await get(base + "/.well-known/openid-configuration")
        guard metadata.issuer == issuer else { throw Failure("\(issuer) names itself \(metadata.issuer); use that address") }
        guard let start = metadata.start else { throw Failure("\(issuer) has no logins with a code (RFC 8628); log in with a token") }
        guard Self.isSafe(start), Self.isSafe(metadata.token) else { throw Failure("\(issuer) has an address that is not https") }
        let wait: Wait = try await post(start, [("client_id", clientID), ("scope", scopes.joined(separator: " "))])
        guard Self.isSafe(wait.address) else { throw Failure("\(issuer) names a page for the login that is not https") }
        let complete = wait.completeAddress.flatMap { Self.isSafe($0) ? $0 : nil }
        try show(Prompt(address: wait.address, code: wait.code, completeAddress: complete))
        return try await token(from: metadata.token, wait)
    }

    /// Asks until the person has logged in, has refused, or the code has expired.
    private func token(from address: String, _ wait: Wait) async throws -> String {
        var pause = max(1, min(wait.pause ?? 5, 60))
        var left = max(0, min(wait.life, 3600))
        while left > 0 {
            try await clock.sleep(for: .seconds(pause))
            left -= pause
            let form = [("grant_type", Self.grant), ("device_code", wait.deviceCode), ("client_id", clientID)]
            do {
                let granted: Granted = try await post(address, form)
                return granted.token
            } catch let refusal as Refusal {
                switch refusal.error {
                case "authorization_pending": continue
                case "slow_down": pause += 5
                case "access_denied": throw Failure("the login was refused at \(issuer)")
                case "expired_token": left = 0
                default: throw Failure("\(issuer) refused the login: \(refusal.error)")
                }
            }
        }
        throw Failure("nobody has entered the code at \(issuer) in time")
    }

    // MARK: Requests

    private func get<Answer: Decodable>(_ address: String) async throws -> Answer {
        try await answer(HTTPClientRequest(url: address))
    }

    private func post<Answer: Decodable>(_ address: String, _ form: [(String, String)]) async throws -> Answer {
        var request = HTTPClientRequest(url: address)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        let text = form.map { "\($0.percentEncoded)=\($1.percentEncoded)" }.joined(separator: "&")
        request.body = .bytes(ByteBuffer(string: text))
        return try await answer(request)
    }

    /// - Throws: ``Refusal`` if the provider answers with an error of OAuth.
    private func answer<Answer: Decodable>(_ request: HTTPClientRequest) async throws -> Answer {
        var request = request
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "odcs")
        let status: UInt
        let body: ByteBuffer
        do {
            let response = try await httpClient.execute(request, timeout: .seconds(30))
            status = response.status.code
            body = try await response.body.collect(upTo: Self.mostBytes)
        } catch is CancellationError {
            throw CancellationError()
        } catch let error as HTTPClientError where error == .cancelled {
            throw CancellationError()
        } catch {
            throw Failure("cannot reach \(issuer): \(ComposeClientError.reason(NetworkProblem(error)))")
        }
        let data = Data(body.readableBytesView)
        let decoder = JSONDecoder()
        // The errors of the decoder are passed over: they would show a part of the answer, which may be a token.
        if status == 200, let answer = try? decoder.decode(Answer.self, from: data) { return answer }
        // An error page of a proxy is not a refusal, and gets the sentence below as well.
        if status >= 400, let refusal = try? decoder.decode(Refusal.self, from: data) { throw refusal }
        throw Failure("\(issuer) answered with status \(status), and not as an OpenID provider does")
    }

    /// Whether an address is encrypted, or on this host.
    private static func isSafe(_ address: String) -> Bool {
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil
        else { return false }
        return parts.scheme == "https" || parts.scheme == "http" && ["127.0.0.1", "[::1]", "::1", "localhost"].contains(host)
    }
}

/// The metadata of an issuer (OpenID Connect Discovery 1.0), as far as a login needs it.
private struct Metadata: Decodable {
    var issuer: String
    var start: String?
    var token: String

    enum CodingKeys: String, CodingKey {
        case issuer
        case start = "device_authorization_endpoint"
        case token = "token_endpoint"
    }
}

/// The answer to the start of a login.
private struct Wait: Decodable {
    var deviceCode: String
    var code: String
    var address: String
    var completeAddress: String?
    var life: Int
    var pause: Int?

    enum CodingKeys: String, CodingKey {
        case deviceCode = "device_code"
        case code = "user_code"
        case address = "verification_uri"
        case completeAddress = "verification_uri_complete"
        case life = "expires_in"
        case pause = "interval"
    }
}

private struct Granted: Decodable {
    var token: String

    enum CodingKeys: String, CodingKey {
        case token = "access_token"
    }
}

/// An error of OAuth, for example `authorization_pending`.
private struct Refusal: Error, Decodable {
    var error: String
}
