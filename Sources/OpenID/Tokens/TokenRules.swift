import ForeignText
import Identity

/// Token rules are the conditions that the claims of a token have to meet, besides its signature.
struct TokenRules: Sendable {
    /// The issuer, byte by byte.
    var issuer: String
    /// The audiences of which the token must have one. Empty if `authorizedParties` decide.
    var audiences: [String]
    /// The clients of which one must have asked for the token. Empty if `audiences` decide.
    var authorizedParties: [String] = []
    /// The difference of clocks that is accepted, in seconds.
    var skew: Double = 60

    /// Checks the claims of a signed token.
    ///
    /// - Parameter now: The time in seconds since 1970.
    func check(_ claims: Claims, isAccessToken: Bool, now: Double) throws(CredentialFailure) {
        guard let exp = claims["exp"] else { throw .wrong("The token has no time when it expires.") }
        try checkTimes(claims, exp: exp, now: now)
        guard let issuer = claims["iss"]?.text, issuer.hasSameBytes(as: self.issuer) else {
            throw .wrong("The token is of another issuer.")
        }
        try checkAudience(claims)
        try checkKind(claims, isAccessToken: isAccessToken)
    }

    /// Checks the answer of an introspection (RFC 7662), in which all claims but `active` may be missing.
    func check(introspected claims: Claims, now: Double) throws(CredentialFailure) {
        try checkTimes(claims, exp: claims["exp"], now: now)
        if let issuer = claims["iss"] {
            guard issuer.text?.hasSameBytes(as: self.issuer) == true else { throw .wrong("The token is of another issuer.") }
        }
        try checkAudience(claims)
        try checkKind(claims, isAccessToken: false)
    }

    /// Checks the claims of an ID token, which names the person of a login (OpenID Connect Core 1.0,
    /// section 3.1.3.7).
    ///
    /// - Parameter nonce: The text that this service has sent with the login.
    func check(identifying claims: Claims, nonce: String, now: Double) throws(CredentialFailure) {
        guard let exp = claims["exp"] else { throw .wrong("The ID token has no time when it expires.") }
        try checkTimes(claims, exp: exp, now: now)
        guard let issuer = claims["iss"]?.text, issuer.hasSameBytes(as: self.issuer) else {
            throw .wrong("The ID token is of another issuer.")
        }
        try checkAudience(claims)
        // A token for several clients names the one that asked for it.
        if let party = claims["azp"] {
            guard let party = party.text, party.isOne(of: audiences) else { throw .wrong("The ID token was issued for another client.") }
        } else if (claims["aud"]?.texts ?? []).count > 1 {
            throw .wrong("The ID token is for several clients, and does not name the one that asked.")
        }
        guard let sent = claims["nonce"]?.text, sent.hasSameBytes(as: nonce) else {
            throw .wrong("The ID token belongs to another login. Log in again.")
        }
        guard claims["events"] == nil else { throw .wrong("The token is of another type than an ID token.") }
    }

    private func checkTimes(_ claims: Claims, exp: ClaimValue?, now: Double) throws(CredentialFailure) {
        if let exp {
            guard let exp = exp.seconds else { throw .wrong("The time when the token expires is not a number of seconds.") }
            guard now < exp + skew else { throw .wrong("The token has expired.") }
        }
        for (name, meaning) in [("nbf", "from which the token is valid"), ("iat", "when the token was issued")] {
            guard let value = claims[name] else { continue }
            guard let time = value.seconds else { throw .wrong("The time \(meaning) is not a number of seconds.") }
            guard time <= now + skew else { throw .wrong("The token is not valid yet. Its clock and this server's may differ.") }
        }
    }

    private func checkAudience(_ claims: Claims) throws(CredentialFailure) {
        if !audiences.isEmpty {
            let named = claims["aud"]?.texts ?? []
            guard named.contains(where: { $0.isOne(of: audiences) }) else { throw .wrong("The token was not issued for this service.") }
        }
        if !authorizedParties.isEmpty {
            guard let party = (claims["azp"] ?? claims["client_id"])?.text, party.isOne(of: authorizedParties) else {
                throw .wrong("The token was not issued for a client of this service.")
            }
        }
    }

    /// Refuses tokens that are not access tokens, or that may not be used without a proof.
    private func checkKind(_ claims: Claims, isAccessToken: Bool) throws(CredentialFailure) {
        // The proof of a token that is bound to a key (RFC 7800) is not checked here, so a stolen one would
        // do.
        guard claims["cnf"] == nil else { throw .wrong("The token is bound to a key. This server accepts bearer tokens only.") }
        let type = claims["typ"].map { $0.text?.lowercased() ?? "" }
        guard type == nil || type == "bearer" else { throw .wrong("The token is of another type than an access token.") }
        if isAccessToken || type == "bearer" { return }
        // ID tokens are for the client that a person logs in with, and that client shows them to others.
        // Logout tokens have events.
        for claim in ["nonce", "at_hash", "c_hash", "s_hash", "events"] {
            guard claims[claim] == nil else { throw .wrong("The token is of another type than an access token.") }
        }
    }
}

extension String {
    /// Whether one of the texts has the same bytes.
    fileprivate func isOne(of texts: [String]) -> Bool { texts.contains { $0.hasSameBytes(as: self) } }
}
