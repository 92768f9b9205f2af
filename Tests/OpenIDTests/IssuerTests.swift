import Foundation
import Identity
import Testing

@testable import OpenID

@Suite("Keys of issuers")
struct IssuerTests {
    private let metadata = "/.well-known/openid-configuration"

    @Test("Keys are read once for many tokens")
    func once() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            for _ in 0..<5 { #expect(try await identity(by: provider, issuer.token()) != nil) }
            #expect(issuer.requests == [metadata, "/keys"])
        }
    }

    @Test("A new key is read when a token names it, at most once in 30 seconds")
    func rotation() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            #expect(try await identity(by: provider, issuer.token()) != nil)
            let new = TestKey.es256("new")
            issuer.keys = [issuer.key, new]
            issuer.pass(.seconds(30))
            #expect(try await identity(by: provider, issuer.token(key: new)) != nil)
            #expect(issuer.count("/keys") == 2)
            // Invented keys do not cost a request each.
            for number in 0..<100 { #expect(try await refuses(provider, issuer.token(header: ["kid": "\"\(number)\""]))) }
            #expect(issuer.count("/keys") == 2)
        }
    }

    @Test("A key that was withdrawn is refused after the next reading")
    func withdrawn() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let old = try issuer.token()
            #expect(try await identity(by: provider, old) != nil)
            let new = TestKey.es256("new")
            issuer.keys = [new]
            issuer.pass(.seconds(30))
            #expect(try await identity(by: provider, issuer.token(key: new)) != nil)
            #expect(try await refuses(provider, old))
        }
    }

    @Test("An issuer that is away at the start gives 503, and is asked again after 10 seconds")
    func downAtStart() async throws {
        try await TestIssuer.run { issuer in
            issuer.answer("/keys", .init(status: 503, body: ""))
            let provider = try issuer.provider()
            #expect(try await isAway(provider, issuer.token()))
            issuer.answer("/keys", nil)
            #expect(try await isAway(provider, issuer.token()))
            #expect(issuer.count("/keys") == 1)
            issuer.pass(.seconds(10))
            #expect(try await identity(by: provider, issuer.token()) != nil)
        }
    }

    @Test("An issuer that goes away: known keys serve for a day, and unknown ones give 503")
    func goesAway() async throws {
        try await TestIssuer.run { issuer async throws in
            let provider = try issuer.provider()
            #expect(try await identity(by: provider, issuer.token()) != nil)
            issuer.answer(metadata, .init(status: 500, body: ""))
            issuer.pass(.seconds(3600))
            #expect(try await isAway(provider, issuer.token(key: .es256("new"))))
            #expect(try await identity(by: provider, issuer.token()) != nil)
            issuer.pass(.seconds(82_801))
            #expect(try await isAway(provider, issuer.token()))
        }
    }

    @Test(
        "Answers that cannot be used give 503",
        arguments: [
            TestIssuer.Answer(body: "<html>Sign in</html>"), .init(status: 302, body: "", location: "/keys"),
            .init(body: "{\"keys\":[" + String(repeating: " ", count: 2 << 20) + "]}"), .init(body: #"{"keys":7}"#),
            .init(body: #"{"keys":[]}"#),
            .init(body: "[]"), .init(status: 401, body: ""),
        ])
    func unusable(_ answer: TestIssuer.Answer) async throws {
        try await TestIssuer.run { issuer async throws in
            issuer.answer("/keys", answer)
            #expect(try await isAway(issuer: issuer))
            issuer.answer("/keys", nil)
            issuer.answer(metadata, answer)
            #expect(try await isAway(issuer: issuer))
        }
    }

    @Test("Metadata of another issuer, and keys on another host without TLS, are not used")
    func otherMetadata() async throws {
        try await TestIssuer.run { issuer async throws in
            for document in [
                json(["issuer": quoted("\(issuer.address)/"), "jwks_uri": quoted("\(issuer.address)/keys")]),
                json(["issuer": quoted(issuer.address), "jwks_uri": "\"http://keys.example.org/\""]),
                json(["issuer": quoted(issuer.address), "jwks_uri": "\"file:///etc/passwd\""]), json(["issuer": quoted(issuer.address)]),
            ] {
                issuer.answer(metadata, .init(body: document))
                #expect(try await isAway(issuer: issuer))
            }
            #expect(issuer.count("/keys") == 0)
        }
    }

    @Test("Entries of a key set that cannot be used do not hide the others, and the first one is not special")
    func strangeEntries() async throws {
        try await TestIssuer.run { issuer in
            let rsa = try TestKey.rs256(nil)
            var encryption = rsa
            encryption.members["alg"] = "\"RSA-OAEP-256\""
            var use = rsa
            use.members["use"] = "\"enc\""
            for entry in [
                encryption.entry, use.entry, #"{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","kid":"k"}"#,
                #"{"kty":"oct","k":"c2VjcmV0","kid":"first"}"#, #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"first"}"#,
                #"{"kty":"RSA","kid":"first"}"#, #"{"kid":7}"#, "7", "null", "{}", try TestKey.shortRSA("short").entry,
            ] {
                issuer.add(strangeKey: entry)
            }
            let provider = try issuer.provider()
            #expect(try await identity(by: provider, issuer.token()) != nil)
            #expect(try await refuses(provider, issuer.token(key: rsa)))
        }
    }

    @Test("A key of 1024 bits does not count")
    func shortKey() async throws {
        try await TestIssuer.run { issuer in
            let short = try TestKey.shortRSA("short")
            issuer.keys.append(short)
            #expect(try await refuses(issuer.provider(), issuer.token(key: short)))
        }
    }

    @Test("A set in which a private key stands serves like one without it")
    func privateKey() async throws {
        try await TestIssuer.run { issuer in
            var leaked = TestKey.es256("leaked")
            leaked.members["d"] = "\"AAAA\""
            issuer.keys = [leaked]
            let provider = try issuer.provider()
            #expect(try await identity(by: provider, issuer.token(key: leaked)) != nil)
        }
    }

    @Test("The service reads the keys before the first token arrives")
    func service() async throws {
        try await TestIssuer.run { issuer in
            let sso = try issuer.issuer()
            #expect(await !sso.isUp)
            let service = Task { try await sso.run() }
            while await !sso.isUp { await Task.yield() }
            service.cancel()
            try await service.value
        }
    }

    @Test("Many tokens at the start cause one reading")
    func together() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let token = try issuer.token()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 { group.addTask { try await identity(by: provider, token) != nil } }
                for try await isKnown in group { #expect(isKnown) }
            }
            #expect(issuer.count("/keys") == 1)
        }
    }

    @Test(
        "Addresses of issuers",
        arguments: [
            ("https://id.example.org/realms/main", true), ("http://127.0.0.1:8080", true), ("http://[::1]:8080/x", true),
            ("http://localhost/x", true), ("http://id.example.org", false), ("http://127.0.0.1.evil.org", false),
            ("ftp://127.0.0.1", false),
            ("https://", false), ("https://me@id.example.org", false), ("https://id.example.org/a b", false),
            ("https://id.example.org/#x", false),
            ("http://localhost@evil.org", false), ("", false),
        ])
    func addresses(_ text: String, _ isGood: Bool) {
        #expect((ProviderURL(text) != nil) == isGood)
    }
}
