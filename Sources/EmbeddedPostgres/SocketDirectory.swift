import Foundation
import Glibc
import Processes
import SystemPackage

/// The directory of the server's socket. It is in the state directory. If that path is too long for a
/// socket, it is in the temporary directory, with a name derived from the state directory.
///
/// The server lets in every process that can reach the socket. So only the server's account and root
/// may enter the directory.
enum SocketDirectory {
    /// The most bytes in the path of a unix socket: the size of `sun_path` without its NUL.
    private static let longestPath = 107

    static func make(for cluster: Cluster, account: Account?) throws -> FilePath {
        let name = "postgres-" + String(fingerprint(cluster.directory.string), radix: 36)
        let temporary = FilePath(FileManager.default.temporaryDirectory.path).appending(name)
        let candidates = [cluster.directory.appending("socket"), temporary, FilePath("/tmp").appending(name)]
        guard let directory = candidates.first(where: isSuitable) else {
            throw EmbeddedPostgresError("no directory has a path short enough for PostgreSQL's socket")
        }
        try make(directory, account: account)
        return directory
    }

    /// Removes a directory outside the state directory after the server has left it.
    static func discard(_ directory: FilePath, of cluster: Cluster) {
        if !directory.starts(with: cluster.directory) { rmdir(directory.string) }
    }

    /// Returns whether the path is short enough, and has no characters that are special in a connection
    /// string or in postgresql.conf.
    private static func isSuitable(_ directory: FilePath) -> Bool {
        let plain = directory.string.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789/._-+".unicodeScalars.contains($0))
        }
        return plain && directory.appending(".s.PGSQL.\(Cluster.port)").string.utf8.count <= longestPath
    }

    private static func make(_ directory: FilePath, account: Account?) throws {
        if mkdir(directory.string, 0o700) == 0 {
            try account?.own(directory)
            return
        }
        // The temporary directory is open to all users, so another one may have made the directory first.
        var status = stat()
        guard errno == EEXIST, lstat(directory.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == account?.user ?? geteuid(), status.st_mode & 0o077 == 0
        else {
            throw EmbeddedPostgresError(
                "\(directory) must be a directory that belongs to the user who runs PostgreSQL, closed to others (mode 0700): remove it")
        }
    }

    /// Returns the FNV-1a hash of the text in 64 bits. Unlike Swift's own hash, it is the same in every
    /// process.
    private static func fingerprint(_ text: String) -> UInt64 {
        text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}
