import Crypto
import Foundation
import Identity
import Testing

@testable import OpenID

@Suite("Tokens that must not be accepted")
struct TokenTests {
    @Test("A good token shows its sender, and the names of its parts do not matter")
    func good() async throws {
        try await TestIssuer.run { issuer in
            let sender = try await identity(by: issuer.provider(), issuer.token(["groups": #"["releng","qa"]"#]))
            #expect(sender?.account.text == "joe")
            #expect(sender?.provider == "openid.sso")
            #expect(sender?.groups == ["releng", "qa"])
            #expect(sender?.workload == nil)
        }
    }

    @Test("No algorithm", arguments: ["none", "None", "NONE", "nOnE", "", "HS256"])
    func noAlgorithm(_ name: String) async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let good = try issuer.token(header: ["alg": quoted(name)])
            let parts = good.split(separator: ".")
            #expect(try await refuses(provider, good))
            #expect(try await refuses(provider, "\(parts[0]).\(parts[1])."))
        }
    }

    @Test("HS256 with the public key as secret: PEM, PEM with a newline, DER, and the raw point")
    func symmetric() async throws {
        let key = P256.Signing.PrivateKey().publicKey
        let secrets = [
            Array(key.pemRepresentation.utf8), Array((key.pemRepresentation + "\n").utf8), Array(key.derRepresentation),
            Array(key.x963Representation),
        ]
        try await TestIssuer.run { issuer async throws in
            let point = Array(key.rawRepresentation)
            var entry = issuer.key
            entry.id = "public"
            entry.members["x"] = quoted(Base64URL.encode(point[..<32]))
            entry.members["y"] = quoted(Base64URL.encode(point[32...]))
            issuer.keys.append(entry)
            for secret in secrets {
                let forged = TestKey(id: "public", algorithm: "HS256", members: [:]) { bytes in
                    Array(HMAC<SHA256>.authenticationCode(for: bytes, using: SymmetricKey(data: secret)))
                }
                #expect(try await refuses(issuer.provider(), issuer.token(key: forged)))
            }
        }
    }

    @Test("A forged token with another algorithm of the same key does not make good ones fail")
    func poisoning() async throws {
        try await TestIssuer.run { issuer in
            let rsa = try TestKey.rs256("rsa")
            issuer.keys = [rsa]
            let sso = try issuer.issuer([.rs256, .ps512])
            let provider = OpenIDProvider(OpenIDSettings(name: "sso", audiences: ["odcs"], userClaim: "preferred_username"), issuer: sso)
            #expect(try await refuses(provider, issuer.token(header: ["alg": "\"PS512\""], key: rsa)))
            #expect(try await identity(by: provider, issuer.token(key: rsa)) != nil)
        }
    }

    @Test(
        "The audience has to be ours, in any form that providers write",
        arguments: [
            (#""odcs""#, true), (#"["odcs"]"#, true), (#"["other","odcs"]"#, true), ("[]", false), ("", false), ("7", false),
            ("null", false),
            (#""other""#, false), (#""ODCS""#, false), (#""odcs ""#, false), (#"["odcs",7]"#, false), (#"{"odcs":1}"#, false),
        ])
    func audience(_ audience: String, _ isGood: Bool) async throws {
        try await TestIssuer.run { issuer in
            let failure = try await failure(of: issuer.provider(), issuer.token(["aud": audience]))
            #expect((failure == nil) == isGood)
        }
    }

    @Test("Authorized parties are an alternative to audiences")
    func parties() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider {
                $0.audiences = []
                $0.authorizedParties = ["cli"]
            }
            #expect(try await failure(of: provider, issuer.token(["azp": "\"cli\""])) == nil)
            #expect(try await failure(of: provider, issuer.token(["client_id": "\"cli\""])) == nil)
            #expect(try await refuses(provider, issuer.token(["azp": "\"other\"", "client_id": "\"cli\""])))
            #expect(try await refuses(provider, issuer.token()))
        }
    }

    @Test("An issuer that differs by a slash or by case is another issuer, even with this one's signature")
    func otherIssuer() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            for name in ["\(issuer.address)/", issuer.address.uppercased(), "https://evil.example.org"] {
                #expect(try await identity(by: provider, issuer.token(["iss": quoted(name)])) == nil)
            }
            #expect(try await refuses(provider, issuer.token(["iss": "7"])))
            #expect(try await refuses(provider, issuer.token(["iss": ""])))
        }
    }

    @Test("A token with the name of one issuer and the key of another one")
    func keyOfAnotherIssuer() async throws {
        try await TestIssuer.run { one in
            try await TestIssuer.run { other async throws in
                #expect(try await refuses(one.provider(), one.token(key: other.key)))
                var sameName = TestKey.es256("first")
                sameName.id = "first"
                #expect(try await refuses(one.provider(), one.token(key: sameName)))
            }
        }
    }

    @Test(
        "The end of a token has to be a number of seconds that is not over",
        arguments: ["", "1e400", "-1", "-1e400", "\"1900000000\"", "NaN", "null", "0", "1799999939", "[1900000000]", "true"])
    func expiry(_ exp: String) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await refuses(issuer.provider(), issuer.token(["exp": exp])))
        }
    }

    @Test(
        "Clocks may differ by a minute", arguments: [("exp", "1799999941"), ("nbf", "1800000060"), ("iat", "1800000060"), ("iat", "1.8e9")])
    func skew(_ claim: String, _ time: String) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await failure(of: issuer.provider(), issuer.token([claim: time])) == nil)
        }
    }

    @Test("A token of the future", arguments: ["nbf", "iat"], ["1800000061", "1e300", "\"now\"", "1e400"])
    func future(_ claim: String, _ time: String) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await refuses(issuer.provider(), issuer.token([claim: time])))
        }
    }

    @Test(
        "The name of a key is only compared",
        arguments: [
            "\"../../etc/passwd\"", "\"' OR 1=1 --\"", "null", "7", "[\"first\"]", "{}", "\"\"", "\"FIRST\"", "\"first\\u0000\"",
            "\"" + String(repeating: "k", count: 1 << 20) + "\"",
        ])
    func keyNames(_ kid: String) async throws {
        try await TestIssuer.run { issuer in
            issuer.keys.append(.es256("second"))
            let token = try issuer.token(header: ["kid": kid])
            let provider = try issuer.provider()
            let isRefused = try await refuses(provider, token)
            // A token that is longer than every token belongs to nobody.
            #expect(isRefused || token.utf8.count > SignedToken.mostBytes)
            if !isRefused { #expect(try await identity(by: provider, token) == nil) }
        }
    }

    @Test("A token without the name of its key needs an issuer with one key")
    func noKeyName() async throws {
        try await TestIssuer.run { issuer in
            let token = try issuer.token(header: ["kid": ""])
            #expect(try await failure(of: issuer.provider(), token) == nil)
            issuer.keys.append(.es256("second"))
            #expect(try await refuses(issuer.provider(), token))
        }
    }

    @Test(
        "Extensions of the header that would change the meaning",
        arguments: [
            ["crit": #"["exp2"]"#, "exp2": "1"], ["crit": "[]"], ["b64": "false", "crit": #"["b64"]"#], ["b64": "false"],
            ["zip": "\"DEF\""],
        ])
    func critical(_ header: [String: String]) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await refuses(issuer.provider(), issuer.token(header: header)))
        }
    }

    @Test("Keys and addresses in the header are not used and not fetched", arguments: ["jku", "x5u", "jwk", "x5c"])
    func keysInHeader(_ name: String) async throws {
        try await TestIssuer.run { issuer in
            try await TestIssuer.run { evil async throws in
                let value =
                    switch name {
                    case "jwk": evil.key.entry
                    case "x5c": "[\"AAAA\"]"
                    default: quoted("\(evil.address)/keys")
                    }
                #expect(try await refuses(issuer.provider(), issuer.token(header: [name: value], key: evil.key)))
                #expect(evil.requests == [])
            }
        }
    }

    @Test("Other types of tokens: nested, encrypted, ID tokens, refresh tokens, logout tokens and bound tokens")
    func otherTypes() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let token = try issuer.token()
            #expect(try await refuses(provider, token + ".AAAA.AAAA"))
            #expect(try await refuses(provider, issuer.signed("\"\(token)\"", header: ["cty": "\"JWT\""])))
            for claims in [
                ["nonce": "\"n\""], ["at_hash": "\"h\""], ["typ": "\"ID\""], ["typ": "\"Refresh\""], ["typ": "7"], ["events": "{}"],
                ["cnf": #"{"jkt":"x"}"#],
            ] {
                #expect(try await refuses(provider, issuer.token(claims)))
            }
            #expect(try await refuses(provider, issuer.token(header: ["typ": "\"secevent+jwt\""])))
            #expect(try await failure(of: provider, issuer.token(header: ["typ": "\"at+jwt\""])) == nil)
            #expect(try await failure(of: provider, issuer.token(["typ": "\"Bearer\"", "nonce": "\"n\""])) == nil)
        }
    }

    @Test("A claim that is there twice, and claims that are nested 10,000 deep")
    func strangeJSON() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let usual = "\"iss\":\(quoted(issuer.address)),\"aud\":\"odcs\",\"exp\":1800000300,\"sub\":\"1\""
            #expect(try await failure(of: provider, issuer.signed("{\(usual),\"preferred_username\":\"joe\"}")) == nil)
            #expect(
                try await refuses(provider, issuer.signed("{\(usual),\"preferred_username\":\"joe\",\"preferred_username\":\"admin\"}"))
            )
            #expect(
                try await refuses(
                    provider, issuer.signed("{\(usual),\"preferred_username\":\"joe\",\"preferred\\u005fusername\":\"admin\"}")))
            let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
            #expect(try await refuses(provider, issuer.signed("{\(usual),\"preferred_username\":\"joe\",\"x\":\(deep)}")))
            #expect(try await refuses(provider, issuer.signed("[]")))
            #expect(try await refuses(provider, issuer.signed("{\(usual)} ,")))
        }
    }

    @Test("A text that an encoder would not write is not another text of the same token")
    func encodings() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let token = try issuer.token()
            #expect(try await refuses(provider, token + "="))
            #expect(try await refuses(provider, token + "\n"))
            // 64 bytes leave four bits of the last character unused.
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            let last = try #require(token.last.flatMap { alphabet.firstIndex(of: $0) })
            #expect(try await refuses(provider, token.dropLast() + String(alphabet[alphabet.index(after: last)])))
        }
    }

    @Test("Each changed byte of the claims and of the signature")
    func changed() async throws {
        try await TestIssuer.run { issuer in
            let provider = try issuer.provider()
            let parts = try issuer.token().split(separator: ".").map(String.init)
            let admin = Base64URL.encode(
                json(["iss": quoted(issuer.address), "aud": "\"odcs\"", "preferred_username": "\"admin\"", "exp": "1900000000"]).utf8)
            #expect(try await refuses(provider, "\(parts[0]).\(admin).\(parts[2])"))
            var signature = try #require(Base64URL.decode(parts[2].utf8))
            for index in signature.indices {
                signature[index] ^= 1
                #expect(try await refuses(provider, "\(parts[0]).\(parts[1]).\(Base64URL.encode(signature))"))
                signature[index] ^= 1
            }
            #expect(try await refuses(provider, "\(parts[0]).\(parts[1])."))
        }
    }

    @Test("Texts that are no signed tokens are those of other providers", arguments: ["", "odcs_1234567890_x", "a.b.c", "..", "e", "ey"])
    func foreign(_ text: String) async throws {
        try await TestIssuer.run { issuer async throws in
            #expect(try await identity(by: issuer.provider(), text) == nil)
            #expect(issuer.requests == [])
        }
    }

    @Test("A failure does not show a part of the token")
    func secrecy() async throws {
        try await TestIssuer.run { issuer in
            let token = try issuer.token(["preferred_username": "\"s3cretive\\u200b\"", "aud": "\"odcs\""])
            let message = try await failure(of: issuer.provider(), token)?.message
            #expect(message == "The token's user name has a space at an end, an invisible character, or a combining mark.")
        }
    }
}
