import Foundation
import Glibc
import Processes
import SystemPackage

/// The directory with the files of a cluster. It is the requested directory, or another one if the
/// server's account cannot enter the requested one.
///
/// Root often keeps a state directory below `/root`, which has mode 0700. The account `postgres` cannot
/// enter it. The cluster then has a directory of its own below ``elsewhere``, and the requested
/// directory becomes a symbolic link to it. Because of the link, all processes and all later starts use
/// the same directory.
struct ClusterDirectory: Sendable {
    /// The parent directory of clusters that cannot be in the requested directory.
    static let elsewhere: FilePath = "/var/lib/odcs-postgresql"

    /// The directory with the cluster's files.
    let path: FilePath
    /// The directory that the account cannot enter, or `nil` when no directory is in the way.
    let obstacle: FilePath?

    /// Makes the directory, or finds the one from an earlier start, and lets the account pass through it.
    ///
    /// - Parameter elsewhere: ``elsewhere``, except in tests.
    static func prepare(
        _ asked: FilePath, for account: Account?, elsewhere: FilePath = Self.elsewhere
    ) throws -> ClusterDirectory {
        guard let account else {
            try create(asked)
            return ClusterDirectory(path: asked, obstacle: nil)
        }
        try create(asked.removingLastComponent())
        let obstacle = account.obstacle(above: asked)
        if let target = target(of: asked) {
            try create(target)
            try account.open(target)
            return ClusterDirectory(path: target, obstacle: obstacle)
        }
        // Existing data is not moved. The call of `open` then reports the directory that the account cannot
        // enter.
        guard let obstacle, !exists(asked.appending("data")) else {
            try create(asked)
            try account.open(asked)
            return ClusterDirectory(path: asked, obstacle: nil)
        }
        return ClusterDirectory(path: try make(asked, in: elsewhere, for: account, obstacle), obstacle: obstacle)
    }

    private static func make(
        _ asked: FilePath, in elsewhere: FilePath, for account: Account, _ obstacle: FilePath
    ) throws -> FilePath {
        let directory: FilePath
        do {
            try create(elsewhere)
            chmod(elsewhere.string, 0o711)
            directory = try uniqueDirectory(in: elsewhere)
            try account.open(directory)
        } catch let error as EmbeddedPostgresError {
            throw EmbeddedPostgresError(
                "PostgreSQL runs as the user \(account.name), who cannot enter \(obstacle), and its files cannot be elsewhere either: \(error). "
                    + "Use a state directory that this user can enter, or chmod o+x \(obstacle)")
        }
        // An empty directory of an earlier, failed start is in the way.
        rmdir(asked.string)
        if symlink(directory.string, asked.string) == 0 { return directory }
        let reason = Errno(rawValue: errno)
        rmdir(directory.string)
        // Another process was first.
        if let target = target(of: asked) { return target }
        throw EmbeddedPostgresError("\(asked) cannot become a link to PostgreSQL's files: \(reason)")
    }

    private static func uniqueDirectory(in parent: FilePath) throws -> FilePath {
        var template = Array(parent.appending("XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw EmbeddedPostgresError("\(parent) cannot be written: \(Errno(rawValue: errno))")
        }
        return FilePath(String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
    }

    /// Returns the target of a symbolic link at `path`, even if the target does not exist. Returns nil when
    /// `path` is not a link.
    private static func target(of path: FilePath) -> FilePath? {
        guard let text = try? FileManager.default.destinationOfSymbolicLink(atPath: path.string) else { return nil }
        return path.removingLastComponent().pushing(FilePath(text)).lexicallyNormalized()
    }

    private static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    private static func create(_ directory: FilePath) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        } catch {
            throw EmbeddedPostgresError("the directory \(directory) for PostgreSQL cannot be made: \(error.localizedDescription)")
        }
    }
}
