import Foundation
import HTTPTypes
import Identity
import Testing

@testable import ComposeFrontend

/// Credentials in headers, and the order in which providers are asked for them.
@Suite struct CredentialTests {
    private static func read(_ fields: [(String, String)]) throws -> Credentials.Authorization? {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        return try CredentialReader(headers: headers).authorization()
    }

    private static func bearer(_ fields: [(String, String)]) throws -> String? {
        guard case .bearer(let token)? = try read(fields) else { return nil }
        return token.text
    }

    @Test("the scheme has any case, spaces and tabs around the token do not count, and X-API-Key is a bearer token")
    func bearer() throws {
        for line in ["Bearer abc", "bearer abc", "BEARER \t abc  "] { #expect(try Self.bearer([("Authorization", line)]) == "abc") }
        #expect(try Self.bearer([("X-API-Key", "abc")]) == "abc")
        #expect(try Self.bearer([("X-API-Key", "abc"), ("Authorization", "Bearer abc")]) == "abc")
        #expect(try Self.read([]) == nil)
        guard
            case .basic(let user, let password)? = try Self.read([("Authorization", "Basic \(Data("joe:a:b".utf8).base64EncodedString())")])
        else {
            Issue.record("no Basic credentials")
            return
        }
        #expect(user == "joe" && password.text == "a:b")
        guard case .negotiate(let bytes)? = try Self.read([("Authorization", "Negotiate YII=")]) else {
            Issue.record("no token")
            return
        }
        #expect(bytes == [0x60, 0x82])
    }

    @Test(
        "several credentials that differ are malformed",
        arguments: [
            [("Authorization", "Bearer a"), ("Authorization", "Bearer a")], [("X-API-Key", "a"), ("X-API-Key", "a")],
            [("Authorization", "Bearer a"), ("X-API-Key", "b")], [("Authorization", "Negotiate YII="), ("X-API-Key", "b")],
        ])
    func several(fields: [(String, String)]) {
        let failure = #expect(throws: CredentialFailure.self) { try Self.read(fields) }
        guard case .malformed? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }

    @Test(
        "what cannot be understood is wrong, and the sentence has no part of it",
        arguments: [
            "hunter2", "Bearer", "Bearer ", "Bearer hun ter2", "Bearer h\u{e9}", "Basic hunter2!", "Basic aHVudGVyMg==",
            "Negotiate hunter2!",
            "Negotiate", "Digest hunter2", "", "Bearer " + String(repeating: "x", count: 60_000),
        ])
    func wrong(line: String) {
        let failure = #expect(throws: CredentialFailure.self) { try Self.read([("Authorization", line)]) }
        guard case .wrong(let message)? = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(!message.contains("hunter2") && message.hasSuffix("."))
    }

    // MARK: The chain

    private struct Provider: IdentityProvider {
        let name: String
        var challenge: String?
        let answer: @Sendable (Credentials) throws(CredentialFailure) -> Identity?

        func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? { try answer(credentials) }
    }

    private static func identity(_ name: String) -> Identity? {
        (try? AccountName(name)).map { Identity(account: $0, provider: "test") }
    }

    private static let byCertificate = Provider(name: "certificates") { $0.certificate == nil ? nil : identity("cert") }
    private static let byProxy = Provider(name: "proxy") { $0.proxyHeaders.isEmpty ? nil : identity("proxied") }
    private static let certificate = ClientCertificate(subject: "CN=cert", serial: "1")

    @Test("one kind of credentials counts, and wrong ones are no reason to try the others")
    func noFallThrough() async throws {
        let wrong = Provider(name: "tokens", challenge: "Bearer") { credentials throws(CredentialFailure) in
            guard case .bearer? = credentials.authorization else { return nil }
            throw .wrong("The token is not known.")
        }
        let chain = IdentityChain([Self.byCertificate, Self.byProxy, wrong])
        let all = Credentials(authorization: .bearer(Secret("x")), certificate: Self.certificate, proxyHeaders: ["x-remote-user": "joe"])
        let rejection = await #expect(throws: RequestRejection.self) { try await chain.identity(all) }
        #expect(rejection?.status == .unauthorized)
        let both = Credentials(certificate: Self.certificate, proxyHeaders: ["x-remote-user": "joe"])
        #expect(try await chain.identity(both)?.account.text == "cert")
        #expect(try await chain.identity(Credentials(proxyHeaders: ["x-remote-user": "joe"]))?.account.text == "proxied")
        #expect(try await chain.identity(Credentials()) == nil)
    }

    @Test("credentials that no provider knows are 401, with the challenge of each provider in a line of its own")
    func unknownKind() async throws {
        let chain = IdentityChain([
            Provider(name: "tokens", challenge: "Bearer realm=\"odcs\"") { _ in nil },
            Provider(name: "openid.sso", challenge: "Bearer realm=\"odcs\"") { _ in nil },
            Provider(name: "kerberos", challenge: "Negotiate") { _ in nil },
        ])
        let rejection = await #expect(throws: RequestRejection.self) {
            try await chain.identity(Credentials(authorization: .basic(user: "joe", password: Secret("hunter2"))))
        }
        #expect(rejection?.status == .unauthorized)
        #expect(rejection?.headers[values: .wwwAuthenticate] == ["Bearer realm=\"odcs\"", "Negotiate"])
        #expect(
            rejection?.message
                == "This service does not know credentials of the kind Basic. It takes those of: tokens, openid.sso, kerberos.")
    }

    @Test("a provider that is away is 503 with a time, never 401")
    func away() async throws {
        let chain = IdentityChain([
            Provider(name: "openid.sso", challenge: "Bearer") { _ throws(CredentialFailure) in
                throw .unavailable("The provider sso cannot be reached.", retryAfter: 10)
            }
        ])
        let rejection = await #expect(throws: RequestRejection.self) {
            try await chain.identity(Credentials(authorization: .bearer(Secret("x"))))
        }
        #expect(rejection?.status == .serviceUnavailable)
        #expect(rejection?.headers[.retryAfter] == "10")
        #expect(rejection?.headers[.wwwAuthenticate] == nil)
    }

    // MARK: The proxy

    private static let proxy = TrustedProxy(
        addresses: ["127.0.0.1", "10.0.0.0/8"].compactMap(AddressRange.init), groupsHeader: "X-Remote-Groups",
        secretHeader: "X-Proxy-Secret",
        secret: Secret("0123456789abcdef"))

    private static func proxied(_ fields: [(String, String)], from peer: String? = "127.0.0.1") async throws -> Identity? {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value)) }
        let found = try proxy.headers(of: headers, from: peer)
        return found.isEmpty ? nil : try await ProxyProvider(proxy).identity(Credentials(proxyHeaders: found))
    }

    private static let secret = ("X-Proxy-Secret", "0123456789abcdef")

    @Test("a trusted proxy names the sender and its groups")
    func proxyNames() async throws {
        let identity = try await Self.proxied([("X-Remote-User", "joe"), ("x-remote-groups", "releng, qa ,"), Self.secret])
        #expect(identity?.account.text == "joe")
        #expect(identity?.groups == ["releng", "qa"])
        #expect(identity?.provider == "proxy")
        #expect(try await Self.proxied([("X-Remote-User", "joe"), Self.secret], from: "::ffff:10.1.2.3")?.account.text == "joe")
    }

    @Test("the headers count from the proxy alone, under their own names, and without a name there is no sender")
    func proxyIgnored() async throws {
        for peer in ["192.0.2.7", "11.0.0.1", "::1", nil] {
            #expect(try await Self.proxied([("X-Remote-User", "joe"), Self.secret], from: peer) == nil)
        }
        #expect(try await Self.proxied([("X_Remote_User", "joe"), Self.secret]) == nil)
        for name in ["", "(null)"] { #expect(try await Self.proxied([("X-Remote-User", name), Self.secret]) == nil) }
    }

    @Test("a header twice, a wrong secret, and a name that cannot be one are refused")
    func proxyRefused() async throws {
        let twice = await #expect(throws: CredentialFailure.self) {
            try await Self.proxied([("X-Remote-User", "joe"), ("x-remote-user", "boss"), Self.secret])
        }
        guard case .malformed? = twice else {
            Issue.record("\(String(describing: twice))")
            return
        }
        for fields in [
            [("X-Remote-User", "joe")], [("X-Remote-User", "joe"), ("X-Proxy-Secret", "0123456789abcdeg")],
            [("X-Remote-User", "unknown"), Self.secret], [("X-Remote-User", "jo\u{200b}e"), Self.secret],
        ] {
            let failure = await #expect(throws: CredentialFailure.self) { try await Self.proxied(fields) }
            guard case .wrong? = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
        }
    }

    @Test("a range is an address or a network without bits behind it")
    func ranges() {
        for text in ["", "example.org", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "2001:db8::1/32"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
        #expect(AddressRange("0.0.0.0/0")?.isEverything == true)
        #expect(AddressRange("::/0")?.isEverything == true)
        #expect(AddressRange("2001:db8::/33")?.contains("2001:db8:7fff::1") == true)
        #expect(AddressRange("2001:db8::/33")?.contains("2001:db8:8000::1") == false)
        #expect(AddressRange("192.0.2.1")?.contains("192.0.2.1") == true)
        #expect(AddressRange("192.0.2.1")?.contains("192.0.2.2") == false)
    }
}
