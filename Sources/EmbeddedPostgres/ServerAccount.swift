import Foundation
import Glibc
import SystemPackage

/// The account for the server if this process runs as root. PostgreSQL refuses to run as root.
struct ServerAccount: Sendable {
    let name: String
    let user: uid_t
    let group: gid_t

    /// Returns the account `postgres`, or else `nobody`. Returns nil when this process does not run as
    /// root: the server then has the same account.
    static func current() throws -> ServerAccount? {
        guard geteuid() == 0 else { return nil }
        guard let account = ServerAccount(named: "postgres") ?? ServerAccount(named: "nobody") else {
            throw EmbeddedPostgresError(
                "PostgreSQL does not run as root, and there is neither a user \"postgres\" nor \"nobody\": run as another user")
        }
        return account
    }

    private init?(named name: String) {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16_384)
        guard getpwnam_r(name, &record, &text, text.count, &found) == 0, found != nil else { return nil }
        self.name = name
        user = record.pw_uid
        group = record.pw_gid
    }

    /// Returns the arguments for setpriv(1) to run a program as this account.
    func prefix(for program: FilePath) -> [String] { ["--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--", program.string] }

    func own(_ path: FilePath) throws {
        guard lchown(path.string, user, group) == 0 else {
            throw EmbeddedPostgresError("\(path) cannot be given to the user \(name): \(String(cString: strerror(errno)))")
        }
    }

    /// Returns the outermost directory above `path` that the account cannot enter, or `nil` when it can
    /// enter all of them. The directories must exist.
    func obstacle(above path: FilePath) -> FilePath? {
        guard let resolved = realpath(path.removingLastComponent().string, nil) else { return nil }
        defer { free(resolved) }
        var directory = FilePath("/")
        for component in [nil] + FilePath(platformString: resolved).components.map(Optional.some) {
            if let component { directory.append(component) }
            var status = stat()
            guard stat(directory.string, &status) == 0, canEnter(status) else { return directory }
        }
        return nil
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

    private func canEnter(_ status: stat) -> Bool {
        let bit: mode_t = status.st_uid == user ? 0o100 : status.st_gid == group ? 0o010 : 0o001
        return status.st_mode & bit != 0
    }
}
