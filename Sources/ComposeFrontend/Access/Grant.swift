import ComposeStore
import HTTPTypes
import Hummingbird
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

extension Grant {
    /// Returns how much the sender may upload within 24 hours, or `nil` for any amount. An account has the
    /// limit of its rules, and any other sender that of its address.
    func uploadLimit(of request: Request, _ context: FrontendContext, _ callers: CallerLimits) -> UploadLimit? {
        let ofAddress = callers.uploadMegabytes > 0 ? callers.uploadMegabytes * 1_000_000 : nil
        let sender = callers.name(of: request, context)
        guard let most = isKnown ? mostUploadedBytes : ofAddress, !sender.isEmpty else { return nil }
        return UploadLimit(sender: sender, most: most)
    }

    /// The bytes that an account may upload within 24 hours, or `nil` for any amount.
    var mostUploadedBytes: Int? {
        rules.flatMap { $0.isEmpty ? nil : $0.most(\.limits.uploadMegabytes) }.map { $0 * 1_000_000 }
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
