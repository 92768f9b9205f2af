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
        throw RequestRejection(.forbidden, "The credentials of \(owner) lack the scope \(scope.rawValue).")
    }
}

extension Actor {
    init(_ grant: Grant) { self.init(name: grant.owner, isAdmin: grant.isAdmin) }
}
