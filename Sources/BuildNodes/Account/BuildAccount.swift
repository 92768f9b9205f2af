import Glibc
public import Processes
import SystemPackage

/// The *build account* is the ordinary user that builds images. It is root only in the user namespaces
/// that it makes, so files of an image belong to root there, and nothing of the host does.
///
/// If the server runs as root, the account is `odcs-build` or the configured one. Otherwise it is the
/// user that the server runs as.
public struct BuildAccount: Hashable, Sendable {
    public static let usualName = "odcs-build"

    public let account: Account
    /// Whether programs must be started under another user than this process.
    let isOther: Bool

    /// Throws ``NodeFailure`` with the command that creates the account, or gives it what it lacks.
    public init(named name: String = Self.usualName) throws(NodeFailure) {
        isOther = geteuid() == 0
        guard let account = isOther ? Account(named: name) : Account.current else {
            guard isOther else { throw NodeFailure(.node, "The user \(geteuid()) that the server runs as is not known to the host.") }
            throw NodeFailure(
                .node,
                "There is no account \(name) for builds. Create it: useradd --system --create-home --home-dir /var/lib/\(name) "
                    + "--shell /usr/sbin/nologin --add-subids-for-system \(name)")
        }
        guard account.user != 0 else {
            throw NodeFailure(.node, "Images are not built as root: every file of a layer would have a wrong owner. Set another account.")
        }
        self.account = account
        for file in SubordinateNumbers.File.allCases {
            let numbers = SubordinateNumbers(file)
            guard numbers.count(for: account) < SubordinateNumbers.needed else { continue }
            let free = numbers.firstFree
            throw NodeFailure(
                .node,
                "The account \(account.name) has less than \(SubordinateNumbers.needed) numbers in \(file.path), which the files of an image need. "
                    + "Add them: usermod \(file.option) \(free)-\(free + SubordinateNumbers.needed - 1) \(account.name)")
        }
    }

    /// The command that runs the following command as this account.
    var entry: [String] { isOther ? ["setpriv"] + account.prefix : [] }
}
