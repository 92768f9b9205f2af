import Processes

/// A *user namespace* of the build account is the place where buildah runs: root there is the account
/// on the host, and the other users there are the subordinate numbers of the account.
struct UserNamespace: Sendable {
    /// The command that enters the namespace, without the command to run there.
    let entry: [String]
    /// The variables that tell buildah that it need not make a namespace itself.
    let environment: [String: String]

    /// The namespace as `buildah unshare` makes it, for every account. buildah starts twice for it, which
    /// takes about 0.07 s of the processor.
    static let byBuildah = UserNamespace(entry: ["buildah", "unshare", "--"], environment: [:])

    private init(entry: [String], environment: [String: String]) {
        self.entry = entry
        self.environment = environment
    }

    /// The same namespace as unshare(1) makes it since util-linux 2.38. Nil if the account has several
    /// ranges of numbers, because unshare(1) takes one.
    init?(of account: Account) {
        let users = SubordinateNumbers(.users).ranges(of: account)
        let groups = SubordinateNumbers(.groups).ranges(of: account)
        guard users.count == 1, groups.count == 1 else { return nil }
        self.init(
            entry: [
                "unshare", "--user", "--map-root-user", "--map-users=\(users[0].first),1,\(users[0].count)",
                "--map-groups=\(groups[0].first),1,\(groups[0].count)", "--",
            ],
            environment: [
                "_CONTAINERS_USERNS_CONFIGURED": "done", "_CONTAINERS_ROOTLESS_UID": "\(account.user)",
                "_CONTAINERS_ROOTLESS_GID": "\(account.group)",
            ])
    }
}
