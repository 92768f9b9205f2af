import Foundation
import Glibc
import Processes
import SystemPackage

/// The account for the server if this process runs as root. PostgreSQL refuses to run as root.
extension Account {
    /// Returns the account `postgres`, or else `nobody`. Returns nil when this process does not run as
    /// root: the server then has the same account.
    static func ofServer() throws -> Account? {
        guard geteuid() == 0 else { return nil }
        guard let account = Account(named: "postgres") ?? Account(named: "nobody") else {
            throw EmbeddedPostgresError(
                "PostgreSQL does not run as root, and there is neither a user \"postgres\" nor \"nobody\": run as another user")
        }
        return account
    }

    func own(_ path: FilePath) throws {
        guard lchown(path.string, user, group) == 0 else {
            throw EmbeddedPostgresError("\(path) cannot be given to the user \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Allows the account to enter `directory`, but not to list it. The account must be able to enter the
    /// directories above it already.
    func open(_ directory: FilePath) throws {
        var status = stat()
        guard stat(directory.string, &status) == 0, canEnter(status) || chmod(directory.string, (status.st_mode & 0o7777) | 0o011) == 0
        else {
            throw EmbeddedPostgresError("\(directory) cannot be opened to the user \(name): \(String(cString: strerror(errno)))")
        }
        if let obstacle = obstacle(above: directory) {
            throw EmbeddedPostgresError(
                "PostgreSQL runs as the user \(name), who cannot enter \(obstacle): use a state directory elsewhere, or chmod o+x \(obstacle)"
            )
        }
    }
}
