import ComposeTestKit
import Foundation
import Identity
import Postgres
import Testing

@testable import ComposeStore

/// API tokens, and the identities that they stand for.
@Suite struct TokenTests {
    private static let root = AuditSender(account: "root", provider: "odcs-server")

    private static func new(life: Duration? = .seconds(90 * 86_400)) throws -> NewToken {
        NewToken(
            owner: try AccountName("osbs"), groups: ["releng"], note: "CI", scopes: [.newCompose, .renewCompose], rule: "builders",
            repositories: ["team/*"], life: life)
    }

    private static func bearer(_ text: Secret, from address: String? = "192.0.2.7") -> Credentials {
        Credentials(authorization: .bearer(text), address: address)
    }

    /// Returns the sentence with which the credentials are refused.
    private static func refusal(_ credentials: Credentials, by provider: TokenProvider) async -> CredentialFailure? {
        do {
            _ = try await provider.identity(credentials)
            return nil
        } catch { return error }
    }

    private static let unknown = CredentialFailure.wrong(
        "The API token is not known. It may have been rotated. Ask for a new one, or use the newest one.")
    private static let incomplete = CredentialFailure.wrong(
        "The API token is not complete. Look whether its text was cut off or mistyped.")

    @Test("a token stands for its owner with all limits, as a bearer token and as a password of Basic")
    func identity() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            let provider = TokenProvider(store: database.store)
            let identity = try await provider.identity(Self.bearer(issued.text))
            let expected = Identity(
                account: try AccountName("osbs"), provider: "tokens", groups: ["releng"], scopes: [.newCompose, .renewCompose],
                token: issued.token.id, rule: "builders", repositories: ["team/*"])
            #expect(identity == expected)
            #expect(try await provider.identity(Credentials(authorization: .basic(user: "dnf", password: issued.text))) == expected)
        }
    }

    @Test("the groups of a token are those that the directory reports now")
    func groups() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            let provider = TokenProvider(store: database.store) { account in [account.text + "-group"] }
            #expect(try await provider.identity(Self.bearer(issued.text))?.groups == ["osbs-group"])
        }
    }

    @Test("credentials of other kinds, and other bearer tokens, are not the business of API tokens")
    func others() async throws {
        try await TestDatabase.with { database in
            let provider = TokenProvider(store: database.store)
            for authorization: Credentials.Authorization? in [
                nil, .bearer(Secret("eyJhbGciOiJSUzI1NiJ9.e30.x")), .negotiate([1, 2]), .basic(user: "odcs_", password: Secret("x")),
            ] {
                let identity = try await provider.identity(Credentials(authorization: authorization))
                #expect(identity == nil)
            }
        }
    }

    @Test("a token that is cut off, extended or mistyped is refused without a look at the database")
    func incomplete() async throws {
        try await TestDatabase.with { database in
            let text = try await database.store.createToken(Self.new(), by: Self.root).text.text
            let provider = TokenProvider(store: database.store)
            let mistyped = text.dropLast(20) + (text.dropLast(19).last == "A" ? "B" : "A") + text.suffix(19)
            for wrong in ["odcs_", String(text.dropLast()), text + "x", String(mistyped), text + " ", String(repeating: text, count: 1000)]
            {
                #expect(await Self.refusal(Self.bearer(Secret(wrong)), by: provider) == Self.incomplete)
            }
        }
    }

    @Test("the checksum of a token, and the hash of its secret in the database, are those of other programs")
    func checksum() throws {
        let text = "odcs_4k7m2p9xz1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA000700qoDbN"
        let token = try #require(TokenText(text))
        #expect(token.id == "4k7m2p9xz1")
        #expect(token.hash == "00d5db0947533c1243fef649b5110422ba540ad2f056c0a96e8ebc9d4964b214")
        #expect(token.text.text == text)
        #expect(token.hasHash(token.hash))
        #expect(!token.hasHash(String(token.hash.dropLast())) && !token.hasHash(token.hash.dropLast() + "5"))
        #expect(TokenText(text.replacing("z1_A", with: "z1-A")) == nil)
    }

    @Test("an unknown id, and another token's id with the own secret, are refused with the same sentence")
    func foreignSecret() async throws {
        try await TestDatabase.with { database in
            let provider = TokenProvider(store: database.store)
            let other = try await database.store.createToken(Self.new(), by: Self.root)
            #expect(await Self.refusal(Self.bearer(TokenText.random().text), by: provider) == Self.unknown)
            #expect(await Self.refusal(Self.bearer(TokenText.random(id: other.token.id).text), by: provider) == Self.unknown)
        }
    }

    @Test("a revoked token is refused from the next request on")
    func revoked() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            let provider = TokenProvider(store: database.store)
            _ = try await provider.identity(Self.bearer(issued.text))
            let revoked = try #require(try await database.store.revokeToken(issued.token.id, by: Self.root))
            #expect(revoked.revokedBy == "root")
            #expect(
                await Self.refusal(Self.bearer(issued.text), by: provider)
                    == .wrong("The API token \(issued.token.id) was revoked. Ask for a new one."))
            #expect(try await database.store.rotateToken(issued.token.id, overlap: .seconds(60), by: Self.root) == nil)
            #expect(try await database.store.tokens().isEmpty)
            #expect(try await database.store.tokens(includingEnded: true).map(\.id) == [issued.token.id])
        }
    }

    @Test("another process refuses a revoked token from when it has heard of it")
    func revokedElsewhere() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            let provider = TokenProvider(store: database.store)
            _ = try await provider.identity(Self.bearer(issued.text))
            _ = try await ComposeStore(pool: database.pool).revokeToken(issued.token.id, by: Self.root)
            database.store.noteTokenChange()
            #expect(
                await Self.refusal(Self.bearer(issued.text), by: provider)
                    == .wrong("The API token \(issued.token.id) was revoked. Ask for a new one."))
        }
    }

    @Test("an expired token is refused and cannot be rotated")
    func expired() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(life: .zero), by: Self.root)
            let provider = TokenProvider(store: database.store)
            let end = try #require(issued.token.expiresAt)
            #expect(
                await Self.refusal(Self.bearer(issued.text), by: provider)
                    == .wrong("The API token \(issued.token.id) expired at \(end.formatted(.iso8601)). Ask for a new one."))
            #expect(try await database.store.rotateToken(issued.token.id, overlap: .seconds(60), by: Self.root) == nil)
        }
    }

    @Test("after a rotation both secrets are accepted until the overlap ends, and the life begins again")
    func rotation() async throws {
        try await TestDatabase.with { database in
            let provider = TokenProvider(store: database.store)
            let first = try await database.store.createToken(Self.new(), by: Self.root)
            let second = try #require(try await database.store.rotateToken(first.token.id, overlap: .seconds(3600), by: Self.root))
            for text in [first.text, second.text] { #expect(try await provider.identity(Self.bearer(text))?.token == first.token.id) }
            let life = try #require(second.token.expiresAt).timeIntervalSince(try #require(second.token.rotatedAt))
            #expect(abs(life - 90 * 86_400) < 0.01)

            _ = try await database.pool.query("UPDATE tokens SET old_until = now()")
            #expect(await Self.refusal(Self.bearer(first.text), by: provider) == Self.unknown)
            let third = try #require(
                try await database.store.rotateToken(first.token.id, overlap: .zero, atMost: .seconds(86_400), by: Self.root))
            #expect(await Self.refusal(Self.bearer(second.text), by: provider) == Self.unknown)
            #expect(try await provider.identity(Self.bearer(third.text)) != nil)
            let short = try #require(third.token.expiresAt).timeIntervalSince(try #require(third.token.rotatedAt))
            #expect(abs(short - 86_400) < 0.01)
        }
    }

    @Test("a token that ends within two weeks says when, and others do not")
    func warning() async throws {
        try await TestDatabase.with { database in
            let provider = TokenProvider(store: database.store)
            let soon = try await database.store.createToken(Self.new(life: .seconds(13 * 86_400)), by: Self.root)
            let end = try #require(soon.token.expiresAt)
            #expect(
                try await provider.identity(Self.bearer(soon.text))?.replyHeaders == ["Odcs-Token-Expires": end.formatted(.iso8601)])
            for life in [Duration.seconds(15 * 86_400), nil] {
                let late = try await database.store.createToken(Self.new(life: life), by: Self.root)
                #expect(try await provider.identity(Self.bearer(late.text))?.replyHeaders == [:])
            }
            let later = TokenProvider(store: database.store, warning: .seconds(12 * 86_400))
            #expect(try await later.identity(Self.bearer(soon.text))?.replyHeaders == [:])
        }
    }

    @Test("a use is written once a minute, and the first use from each address is audited")
    func use() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            // Two frontends.
            for provider in [TokenProvider(store: database.store), TokenProvider(store: database.store)] {
                for address in ["192.0.2.7", "192.0.2.8", "192.0.2.7"] {
                    _ = try await provider.identity(Self.bearer(issued.text, from: address))
                }
            }
            #expect(try await database.store.token(issued.token.id)?.usedFrom == "192.0.2.8")
            let uses = try await database.store.audit(AuditQuery(action: "token.use"))
            #expect(uses.map(\.entry.sender.address) == ["192.0.2.8", "192.0.2.7"])
        }
    }

    @Test("the life of a token is audited without its secret, and the database has no secret either")
    func audited() async throws {
        try await TestDatabase.with { database in
            let issued = try await database.store.createToken(Self.new(), by: Self.root)
            let rotated = try #require(try await database.store.rotateToken(issued.token.id, overlap: .seconds(60), by: Self.root))
            for text in [issued.text, rotated.text] {
                _ = try await TokenProvider(store: database.store).identity(Self.bearer(text))
            }
            _ = try await database.store.revokeToken(issued.token.id, by: Self.root)
            _ = try await database.store.revokeToken(issued.token.id, by: Self.root)
            let entries = try await database.store.audit(AuditQuery()).map(\.entry)
            #expect(entries.map(\.action) == ["token.revoke", "token.use", "token.rotate", "token.create"])
            #expect(Set(entries.map(\.object)) == ["token \(issued.token.id)"])
            #expect(entries.last?.detail == ["owner": "osbs", "note": "CI", "scopes": "new-compose renew-compose", "rule": "builders"])
            let stored = try await database.pool.query(
                "SELECT (SELECT jsonb_agg(a) FROM audit a)::text || (SELECT jsonb_agg(t) FROM tokens t)::text AS rows")
            let text = try stored[stored.startIndex].decode(String.self, "rows")
            for issued in [issued, rotated] {
                #expect(!text.contains(issued.text.text.dropFirst(16).prefix(43)))
                #expect("\(issued)".contains("(hidden)") && !"\(issued)".contains(issued.text.text))
            }
        }
    }
}
