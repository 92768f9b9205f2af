import Identity

/// Access rules are the section `access` of the configuration: the admins, and the rules of the
/// clients.
public struct AccessRules: Hashable, Sendable {
    /// The accounts that may do everything. Workloads are never admins.
    public var admins: Members
    /// The rules of the clients, in the order of their names.
    public var clients: [ClientRule]

    public init(admins: Members = Members(), clients: [ClientRule] = []) {
        self.admins = admins
        self.clients = clients.sorted { $0.name < $1.name }
    }

    /// Whether a rule limits the requests of its senders.
    var limitRequests: Bool { clients.contains { $0.limits.requestsPerMinute != nil } }

    /// Whether the sender is an admin. An API token has this right only if it was made with the scope
    /// `admin`, and never if it is limited to a rule or to repositories.
    func isAdmin(_ identity: Identity) -> Bool {
        guard identity.workload == nil, identity.rule == nil, identity.repositories == nil else { return false }
        if identity.token != nil, identity.scopes?.contains(.admin) != true { return false }
        return admins.contain(identity)
    }

    /// Whether the sender is an API token of an admin that was made for nodes and farms.
    func managesNodes(_ identity: Identity) -> Bool {
        guard identity.workload == nil, identity.rule == nil, identity.repositories == nil else { return false }
        return identity.scopes?.contains(.manageNodes) == true && admins.contain(identity)
    }

    /// Returns the rules of a sender. If some name its account, those that name its groups do not count, as
    /// in the published ODCS.
    func rules(of identity: Identity) -> [ClientRule] {
        let possible = clients.filter { identity.rule == nil || $0.name == identity.rule }
        let byName = possible.filter { $0.members.names(identity) }
        return byName.isEmpty ? possible.filter { $0.members.contain(identity) } : byName
    }
}
