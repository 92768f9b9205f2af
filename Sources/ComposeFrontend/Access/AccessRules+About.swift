extension AccessRules {
    /// The rules in the form of the published ODCS: kind (`users`, `groups`), name, list, and the allowed
    /// words. A list that allows everything is absent. If several rules name an account, the first one is
    /// shown.
    var allowedClients: [String: [String: [String: [String]]]] {
        var users: [String: [String: [String]]] = [:]
        var groups: [String: [String: [String]]] = [:]
        for rule in clients {
            let lists = rule.lists.filter { !$0.value.allowsEverything }.mapValues(\.words)
            for name in rule.members.users where users[name] == nil { users[name] = lists }
            for name in rule.members.groups where groups[name] == nil { groups[name] = lists }
        }
        return ["users": users, "groups": groups]
    }
}

extension ClientRule {
    fileprivate var lists: [String: AllowedWords] {
        [
            "source_types": sourceTypes, "sources": sources, "flags": flags, "results": results, "arches": arches,
            "compose_types": composeTypes, "target_dirs": targetDirs, "raw_config_keys": rawConfigKeys,
        ]
    }
}
