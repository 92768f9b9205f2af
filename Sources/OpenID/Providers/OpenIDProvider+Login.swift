import Crypto
import ForeignText
import Foundation
public import Identity

/// Logins of people with a browser: the authorization code flow (OpenID Connect Core 1.0, section 3.1)
/// with a proof of the code's receiver (RFC 7636).
extension OpenIDProvider: LoginProvider {
    public func address(of login: BrowserLogin) async throws(CredentialFailure) -> String {
        guard let endpoint = try await issuer.metadata().authorization else {
            throw .unavailable("The identity provider \(name) has no logins for browsers.", retryAfter: 60)
        }
        let challenge = Base64URL.encode(Array(SHA256.hash(data: Data(login.verifier.text.utf8))))
        let items = [
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", login.returnAddress),
            ("scope", settings.loginScopes.joined(separator: " ")), ("state", login.state), ("nonce", login.nonce),
            ("code_challenge", challenge), ("code_challenge_method", "S256"),
        ]
        let query = items.map { "\($0.formEncoded)=\($1.formEncoded)" }.joined(separator: "&")
        return "\(endpoint.text)\(endpoint.text.contains("?") ? "&" : "?")\(query)"
    }

    public func person(with code: Secret, of login: BrowserLogin) async throws(CredentialFailure) -> Identity {
        let answer = try await exchange(code, of: login)
        guard let text = answer["id_token"]?.text else { throw .wrong("The identity provider \(name) has sent no ID token.") }
        let token = try SignedToken(text)
        try await issuer.verify(token)
        try check(token.claims, nonce: login.nonce)
        let access = answer["access_token"]?.text.map { Secret($0) }
        var claims = token.claims
        // Some providers name the person to those alone who ask with the access token.
        if claims[settings.userClaim] == nil, let access {
            do throws(ProviderFailure) {
                claims = try await userInfo.claims(of: access, subject: token.claims["sub"]?.text)
            } catch {
                throw error.credentialFailure(of: name)
            }
        }
        let person = try account(claims)
        let groups: Set<String> =
            if settings.groupsFrom == .userinfo, let access {
                try await self.groups(token.claims, of: access)
            } else if settings.groupsFrom == .claim {
                try self.groups(in: claims)
            } else {
                []
            }
        return Identity(account: person, provider: name, groups: groups)
    }

    /// Exchanges the code for tokens.
    private func exchange(_ code: Secret, of login: BrowserLogin) async throws(CredentialFailure) -> Claims {
        let metadata = try await issuer.metadata()
        var form = [
            ("grant_type", "authorization_code"), ("code", code.text), ("redirect_uri", login.returnAddress),
            ("code_verifier", login.verifier.text),
        ]
        var authorization: String?
        if let secret = clientSecret, !metadata.postsSecretForTokens {
            let pair = "\(settings.clientID.formEncoded):\(secret.text.formEncoded)"
            authorization = "Basic \(Data(pair.utf8).base64EncodedString())"
        } else {
            form.append(("client_id", settings.clientID))
            if let secret = clientSecret { form.append(("client_secret", secret.text)) }
        }
        do throws(ProviderFailure) {
            guard let url = metadata.tokens else { throw ProviderFailure("\(issuer.url) has no token endpoint") }
            return try await issuer.connection.post(form, to: url, authorization: authorization)
        } catch {
            if error.isRefusal { throw .wrong("The identity provider \(name) does not accept this login. Log in again.") }
            throw error.credentialFailure(of: name)
        }
    }

    /// Checks the claims of an ID token (OpenID Connect Core 1.0, section 3.1.3.7).
    private func check(_ claims: Claims, nonce: String) throws(CredentialFailure) {
        let rules = TokenRules(issuer: issuer.url.text, audiences: [settings.clientID], skew: Double(settings.skewSeconds))
        try rules.check(identifying: claims, nonce: nonce, now: issuer.clocks.date())
    }
}
