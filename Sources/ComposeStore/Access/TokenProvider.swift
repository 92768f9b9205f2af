import Foundation
public import Identity
import Synchronization

/// A *token provider* recognizes senders by API tokens: as bearer tokens, or as passwords of Basic, for
/// programs such as dnf. The user name that Basic has beside the password is ignored.
public final class TokenProvider: IdentityProvider {
    /// Returns the groups of an account as they are now.
    public typealias GroupLookup = @Sendable (AccountName) async throws(CredentialFailure) -> Set<String>

    static let name = "tokens"
    public var name: String { Self.name }
    public var challenge: String? { "Bearer realm=\"odcs\"" }

    /// The number of uses that are remembered before all of them are forgotten.
    private static let mostUses = 10_000

    /// A token and an address that it was used from.
    private struct Use: Hashable {
        let token: String
        let address: String?
    }

    private let store: ComposeStore
    private let groups: GroupLookup?
    private let warning: TimeInterval
    /// Requests that arrive at the same time share a look at the database. It begins after the request
    /// arrived.
    private let checks = SharedWork<Int, String, KnownToken?>(atOnce: 256)
    /// Tokens that were found valid, with the hashes of their newest secrets. A change that this process
    /// makes or hears of ends all of them.
    private let valid = RecentValues<String, (token: APIToken, hash: String, changes: Int)>()
    /// The uses that this process has recorded.
    private let uses = Mutex<Set<Use>>([])

    /// - Parameters:
    ///   - warning: The time before the end of a token from which on the answers say when it ends.
    ///   - groups: Looks up the groups of a token's owner. Without it a token has the groups that its owner
    ///     had when it was made.
    public init(store: ComposeStore, warning: Duration = APIToken.warning, groups: GroupLookup? = nil) {
        self.store = store
        self.warning = TimeInterval(warning.components.seconds)
        self.groups = groups
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        let text: String
        switch credentials.authorization {
        case .bearer(let secret): text = secret.text
        case .basic(_, let password): text = password.text
        default: return nil
        }
        guard TokenText.isMeant(text) else { return nil }
        guard let shown = TokenText(text) else {
            throw .wrong("The API token is not complete. Look whether its text was cut off or mistyped.")
        }
        let (token, isUseOld) = try await token(shown)
        await mark(token, from: credentials.address, isOld: isUseOld)
        return Identity(
            account: token.owner, provider: name, groups: try await groups?(token.owner) ?? token.groups, scopes: token.scopes,
            token: token.id, rule: token.rule, repositories: token.repositories, replyHeaders: replyHeaders(to: token))
    }

    /// Returns the token, and whether it was not recorded as used for a minute.
    private func token(_ shown: TokenText) async throws(CredentialFailure) -> (token: APIToken, isUseOld: Bool) {
        let changes = store.tokenChanges.value
        if let valid = valid[shown.id], valid.changes == changes, shown.hasHash(valid.hash) { return (valid.token, false) }
        let begin = ContinuousClock.now
        let known: KnownToken?
        do { known = try await checks.answer(0, shown.id) { try await store.knownTokens($0) } } catch {
            throw .unavailable("API tokens cannot be checked at the moment, because the database does not answer.", retryAfter: 5)
        }
        let token = try Self.check(shown, known)
        if let known, shown.hasHash(known.hash) { valid.keep((token, known.hash, changes), for: shown.id, readAfter: begin) }
        return (token, known?.isUseOld == true)
    }

    /// Returns the token if its secret is right and it is valid. An unknown id and a wrong secret have the
    /// same answer after the same comparisons.
    private static func check(_ shown: TokenText, _ known: KnownToken?) throws(CredentialFailure) -> APIToken {
        let isNew = shown.hasHash(known?.hash ?? KnownToken.dummyHash)
        let isOld = shown.hasHash(known?.oldHash ?? KnownToken.dummyHash)
        guard let known, isNew || isOld else {
            throw .wrong("The API token is not known. It may have been rotated. Ask for a new one, or use the newest one.")
        }
        if known.token.revokedAt != nil { throw .wrong("The API token \(known.token.id) was revoked. Ask for a new one.") }
        if known.isExpired, let end = known.token.expiresAt {
            throw .wrong("The API token \(known.token.id) expired at \(end.formatted(.iso8601)). Ask for a new one.")
        }
        return known.token
    }

    private func mark(_ token: APIToken, from address: String?, isOld: Bool) async {
        let use = Use(token: token.id, address: address)
        let isNew = uses.withLock { uses in
            if uses.count >= Self.mostUses { uses = [] }
            return uses.insert(use).inserted
        }
        guard isNew || isOld else { return }
        do {
            try await store.markUse(of: token, from: address)
        } catch {
            // The request itself does not depend on the record. The next request records the use.
            _ = uses.withLock { $0.remove(use) }
        }
    }

    private func replyHeaders(to token: APIToken) -> [String: String] {
        guard let end = token.expiresAt, end.timeIntervalSinceNow < warning else { return [:] }
        return [Self.expiryHeader: end.formatted(.iso8601)]
    }

    /// The header of the answer to a token that ends soon.
    public static let expiryHeader = "Odcs-Token-Expires"
}
