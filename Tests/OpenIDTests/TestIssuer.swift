import HTTPEnvironment
import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import ScriptedService
import Synchronization
import Testing

@testable import OpenID

/// An identity provider on this host, with metadata, keys, introspection and UserInfo. It signs whatever a test
/// wants to have signed.
final class TestIssuer: Sendable {
    struct Answer: Sendable {
        var status = 200
        var body: String
        var location: String?
    }

    private struct State {
        var port = 0
        var keys: [TestKey]
        /// Further entries of the key set, as JSON.
        var strangeKeys: [String] = []
        var answers: [String: Answer] = [:]
        var requests: [String] = []
        var uptime = Duration.zero
        var date = TestIssuer.start
    }

    /// The time when each test starts, in seconds since 1970.
    static let start = 1_800_000_000.0

    private let state: Mutex<State>
    /// The first key.
    let key: TestKey

    private init() {
        key = .es256("first")
        state = Mutex(State(keys: [key]))
    }

    static func run(_ body: @escaping @Sendable (TestIssuer) async throws -> Void) async throws {
        let issuer = TestIssuer()
        try await serving(Responder(issuer: issuer)) { port in
            issuer.state.withLock { $0.port = port }
            try await body(issuer)
        }
    }

    // MARK: What the test sets

    var keys: [TestKey] {
        get { state.withLock { $0.keys } }
        set { state.withLock { $0.keys = newValue } }
    }

    func add(strangeKey entry: String) { state.withLock { $0.strangeKeys.append(entry) } }

    /// Sets the answer to all further requests for a path. `nil` brings the usual answer back.
    func answer(_ path: String, _ answer: Answer?) { state.withLock { $0.answers[path] = answer } }

    func pass(_ time: Duration) {
        state.withLock {
            $0.uptime += time
            $0.date += Double(time.components.seconds)
        }
    }

    // MARK: What the test sees

    var address: String { state.withLock { "http://127.0.0.1:\($0.port)" } }
    /// The paths that were asked for, the oldest first.
    var requests: [String] { state.withLock { $0.requests } }
    func count(_ path: String) -> Int { requests.count { $0 == path } }

    // MARK: Providers and tokens

    var clocks: ProviderClocks {
        ProviderClocks(
            date: { self.state.withLock { $0.date } }, uptime: { self.state.withLock { $0.uptime } }, pauses: ContinuousClock())
    }

    func issuer(_ algorithms: [SigningAlgorithm] = [.rs256, .es256], path: String = "") throws -> Issuer {
        Issuer(
            try #require(ProviderURL(address + path)), name: "openid.sso", algorithms: algorithms,
            connection: ProviderConnection(environment: HTTPEnvironment([:])), clocks: clocks,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func provider(secret: Secret? = nil, _ change: (inout OpenIDSettings) -> Void = { _ in }) throws -> OpenIDProvider {
        var settings = OpenIDSettings(name: "sso", audiences: ["odcs"], userClaim: "preferred_username")
        change(&settings)
        return OpenIDProvider(settings, clientSecret: secret, issuer: try issuer())
    }

    /// Returns a signed token that is good as long as the test changes nothing.
    ///
    /// - Parameters:
    ///   - claims: Values as JSON, by name. An empty text leaves the claim out.
    ///   - header: The same for the header.
    func token(_ claims: [String: String] = [:], header: [String: String] = [:], key: TestKey? = nil) throws -> String {
        let date = state.withLock { Int($0.date) }
        let usual = [
            "iss": quoted(address), "aud": "\"odcs\"", "sub": "\"1234\"", "preferred_username": "\"joe\"", "exp": "\(date + 300)",
            "iat": "\(date)",
        ]
        return try signed(json(usual.merging(claims) { $1 }.filter { !$0.value.isEmpty }), header: header, key: key)
    }

    /// Returns a token with exactly the given claims.
    func signed(_ claims: String, header: [String: String] = [:], key: TestKey? = nil) throws -> String {
        let key = key ?? self.key
        var usual = ["alg": quoted(key.algorithm), "typ": "\"JWT\""]
        if let id = key.id { usual["kid"] = quoted(id) }
        let head = json(usual.merging(header) { $1 }.filter { !$0.value.isEmpty })
        let text = Base64URL.encode(head.utf8) + "." + Base64URL.encode(claims.utf8)
        return text + "." + Base64URL.encode(try key.sign(Array(text.utf8)))
    }

    private struct Responder: HTTPResponder {
        let issuer: TestIssuer

        func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
            let path = request.uri.path
            let body = try await request.body.collect(upTo: 1 << 20)
            let answer = issuer.answer(to: path, form: String(buffer: body))
            var headers: HTTPFields = [.contentType: "application/json"]
            headers[.location] = answer.location
            return Response(
                status: .init(code: answer.status), headers: headers, body: .init(byteBuffer: ByteBuffer(string: answer.body)))
        }
    }

    private func answer(to path: String, form: String) -> Answer {
        let address = address
        return state.withLock { state in
            state.requests.append(path)
            if let answer = state.answers[path] { return answer }
            return switch path {
            case "/.well-known/openid-configuration":
                Answer(
                    body: json([
                        "issuer": quoted(address), "jwks_uri": quoted("\(address)/keys"),
                        "introspection_endpoint": quoted("\(address)/introspection"), "userinfo_endpoint": quoted("\(address)/userinfo"),
                    ]))
            case "/keys": Answer(body: json(["keys": "[" + (state.strangeKeys + state.keys.map(\.entry)).joined(separator: ",") + "]"]))
            default: Answer(status: 404, body: "")
            }
        }
    }
}

/// Returns the failure of credentials that a provider refuses.
func failure(of provider: some IdentityProvider, _ token: String) async throws -> CredentialFailure? {
    do throws(CredentialFailure) {
        _ = try await provider.identity(Credentials(authorization: .bearer(Secret(token))))
        return nil
    } catch {
        return error
    }
}

/// Returns the sender that a provider recognizes by a token.
func identity(by provider: some IdentityProvider, _ token: String) async throws -> Identity? {
    try await provider.identity(Credentials(authorization: .bearer(Secret(token))))
}

/// Whether a provider answers with status 401.
func refuses(_ provider: some IdentityProvider, _ token: String) async throws -> Bool {
    if case .wrong? = try await failure(of: provider, token) { true } else { false }
}

/// Whether a provider answers with status 503.
func isAway(_ provider: some IdentityProvider, _ token: String) async throws -> Bool {
    if case .unavailable? = try await failure(of: provider, token) { true } else { false }
}

/// Whether a new provider answers with status 503 to a good token.
func isAway(issuer: TestIssuer) async throws -> Bool { try await isAway(try issuer.provider(), try issuer.token()) }
