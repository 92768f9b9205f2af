import Foundation
import Identity

/// An introspection endpoint is the place where an issuer says whether a token is good (RFC 7662).
struct IntrospectionEndpoint: Sendable {
    /// The time for which a good answer is used. A token that the issuer takes back is good for as long.
    private static let longestUse = 60.0

    let issuer: Issuer
    /// The name of the provider. Example: `openid.sso`.
    let name: String
    let clientID: String
    let clientSecret: Secret?
    private let cache = AnswerCache<Claims>()

    init(issuer: Issuer, name: String, clientID: String, clientSecret: Secret?) {
        self.issuer = issuer
        self.name = name
        self.clientID = clientID
        self.clientSecret = clientSecret
    }

    /// Returns the claims of a good token.
    ///
    /// - Throws: ``CredentialFailure/wrong(_:)`` if the issuer does not know the token any more.
    func claims(of token: Secret) async throws(CredentialFailure) -> Claims {
        let key = AnswerCache<Claims>.Key(token)
        if let claims = cache.answer(for: key, now: issuer.clocks.uptime()) { return claims }
        let metadata = try await issuer.metadata()
        let claims: Claims
        do throws(ProviderFailure) {
            guard let url = metadata.introspection else { throw ProviderFailure("\(issuer.url) has no introspection") }
            claims = try await ask(url, token, postsSecret: metadata.postsSecret)
        } catch {
            // A refusal here concerns the secret of this service, which is no mistake of the sender.
            throw ProviderFailure(error.description).credentialFailure(of: name)
        }
        guard claims["active"]?.bool == true else { throw .wrong("The token is not valid any more, or its issuer never issued it.") }
        let now = issuer.clocks.uptime()
        let rest = claims["exp"]?.seconds.map { $0 - issuer.clocks.date() } ?? Self.longestUse
        cache.keep(claims, for: key, until: now + .seconds(min(Self.longestUse, rest)), now: now)
        return claims
    }

    private func ask(_ url: ProviderURL, _ token: Secret, postsSecret: Bool) async throws(ProviderFailure) -> Claims {
        var form = [("token", token.text), ("token_type_hint", "access_token")]
        var authorization: String?
        if let clientSecret, !postsSecret {
            let pair = "\(clientID.formEncoded):\(clientSecret.text.formEncoded)"
            authorization = "Basic \(Data(pair.utf8).base64EncodedString())"
        } else {
            form.append(("client_id", clientID))
            if let clientSecret { form.append(("client_secret", clientSecret.text)) }
        }
        return try await issuer.connection.post(form, to: url, authorization: authorization)
    }
}
