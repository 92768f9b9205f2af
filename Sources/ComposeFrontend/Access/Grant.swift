import ComposeStore
import HTTPTypes
import Identity

/// A grant is the permission of one request: its sender, and the rules that the request must obey.
struct Grant: Sendable {
    let identity: Identity
    let isAdmin: Bool
    /// The rules that name the sender, of which one must allow the request. Nil for an admin, whom no rule
    /// limits.
    let rules: [ClientRule]?

    /// The owner of everything that the request makes.
    var owner: String { identity.account.text }
    /// Whether the owner is one person or program. It is not if the service asks for no credentials.
    var isKnown: Bool { identity.isKnown }

    /// Throws ``RequestRejection`` with status 403 if the credentials have scopes, but not this one.
    func require(_ scope: Scope) throws(RequestRejection) {
        guard let scopes = identity.scopes, !scopes.contains(scope) else { return }
        throw RequestRejection(.forbidden, .scope, "The credentials of \(owner) lack the scope \(scope.rawValue).")
    }
}

extension Grant {
    /// The limits of the owner. If several rules name it, the most generous values count. `nil` if the
    /// owner is not one account.
    var limits: OwnerLimits? {
        guard isKnown else { return nil }
        guard let rules, !rules.isEmpty else { return OwnerLimits() }
        return OwnerLimits(
            waiting: rules.most(\.limits.waiting), underWay: rules.most(\.limits.underWay),
            bytes: rules.most(\.limits.gigabytes).map { $0 * 1_000_000_000 }, watches: rules.most(\.limits.watches),
            buildSteps: rules.most(\.limits.buildSteps), buildMinutes: rules.most(\.limits.buildMinutes),
            weight: rules.map(\.weight).max() ?? 1)
    }
}

extension [ClientRule] {
    /// Returns the highest value of a limit, or `nil` if one of the rules has no such limit.
    func most(_ limit: (ClientRule) -> Int?) -> Int? {
        let limits = compactMap(limit)
        return limits.count == count ? limits.max() : nil
    }
}

extension Actor {
    init(_ grant: Grant) { self.init(name: grant.owner, isAdmin: grant.isAdmin) }
}
