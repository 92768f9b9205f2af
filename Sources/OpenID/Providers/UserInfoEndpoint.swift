import ForeignText
import Identity

/// A UserInfo endpoint is the place where an issuer gives the claims of the person that a token is
/// for (OpenID Connect Core 1.0, section 5.3).
struct UserInfoEndpoint: Sendable {
    /// The time for which an answer is used. A person who leaves a group keeps it for as long.
    private static let longestUse = Duration.seconds(300)

    private let issuer: Issuer
    private let name: String
    private let cache = AnswerCache<Claims>()

    init(issuer: Issuer, name: String) {
        self.issuer = issuer
        self.name = name
    }

    /// - Parameter subject: The claim `sub` of the token. The answer must be about the same person.
    func claims(of token: Secret, subject: String?) async throws(ProviderFailure) -> Claims {
        let key = AnswerCache<Claims>.Key(token)
        if let claims = cache.answer(for: key, now: issuer.clocks.uptime()) { return claims }
        let metadata: IssuerMetadata
        do throws(CredentialFailure) { metadata = try await issuer.metadata() } catch {
            throw ProviderFailure("\(issuer.url) does not answer")
        }
        guard let url = metadata.userInfo else { throw ProviderFailure("\(issuer.url) has no UserInfo") }
        let claims = try await issuer.connection.get(url, bearer: token)
        guard let subject, claims["sub"]?.text?.hasSameBytes(as: subject) == true else {
            throw ProviderFailure("the answer of \(url) is about another person than the token")
        }
        let now = issuer.clocks.uptime()
        cache.keep(claims, for: key, until: now + Self.longestUse, now: now)
        return claims
    }
}
