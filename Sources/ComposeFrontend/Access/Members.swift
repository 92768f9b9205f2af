public import Identity

/// Members are the accounts that a part of the configuration names: by their names, by their groups, or
/// as configured workloads.
public struct Members: Hashable, Sendable {
    public var users: Set<String>
    public var groups: Set<String>
    public var workloads: Set<String>

    public init(users: Set<String> = [], groups: Set<String> = [], workloads: Set<String> = []) {
        self.users = users
        self.groups = groups
        self.workloads = workloads
    }

    public var isEmpty: Bool { users.isEmpty && groups.isEmpty && workloads.isEmpty }

    /// Whether the account is one of the users or workloads. A workload is never one of the users, even if
    /// a person has the same name.
    func names(_ identity: Identity) -> Bool {
        if let workload = identity.workload { return workloads.contains(workload) }
        return users.contains(identity.account.text)
    }

    /// Whether the account is a member, by its name or by one of its groups.
    func contain(_ identity: Identity) -> Bool {
        names(identity) || identity.workload == nil && !groups.isDisjoint(with: identity.groups)
    }
}
