import Foundation
import Glibc
import SystemPackage

/// Where the server's socket is: in the state directory, or where its path is too long for a socket, in a short one named after it.
///
/// Whoever can reach the socket is let in, so that only the server's own account may enter the directory (and root).
enum SocketDirectory {
    /// The path of a unix socket has room for so many bytes, `sun_path` less its NUL.
    private static let longestPath = 107

    static func make(for cluster: Cluster, account: ServerAccount?) throws -> FilePath {
        let name = "postgres-" + String(fingerprint(cluster.directory.string), radix: 36)
        let temporary = FilePath(FileManager.default.temporaryDirectory.path).appending(name)
        let candidates = [cluster.directory.appending("socket"), temporary, FilePath("/tmp").appending(name)]
        guard let directory = candidates.first(where: isSuitable) else {
            throw EmbeddedPostgresError("no directory has a path short enough for PostgreSQL's socket")
        }
        try make(directory, account: account)
        return directory
    }

    /// Removes a directory outside the state directory when the server has left it.
    static func discard(_ directory: FilePath, of cluster: Cluster) {
        if !directory.starts(with: cluster.directory) { rmdir(directory.string) }
    }

    /// Short enough, and free of what is special in a connection string or in postgresql.conf.
    private static func isSuitable(_ directory: FilePath) -> Bool {
        let plain = directory.string.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || "0123456789/._-+".unicodeScalars.contains($0))
        }
        return plain && directory.appending(".s.PGSQL.\(Cluster.port)").string.utf8.count <= longestPath
    }

    private static func make(_ directory: FilePath, account: ServerAccount?) throws {
        if mkdir(directory.string, 0o700) == 0 {
            try account?.own(directory)
            return
        }
        // Somebody else may have made it first, where everybody may write.
        var status = stat()
        guard errno == EEXIST, lstat(directory.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == account?.user ?? geteuid(), status.st_mode & 0o077 == 0
        else {
            throw EmbeddedPostgresError(
                "\(directory) must be a directory that belongs to the user who runs PostgreSQL, closed to others (mode 0700): remove it")
        }
    }

    /// FNV-1a in 64 bits: the same in every process, as Swift's own hash is not.
    private static func fingerprint(_ text: String) -> UInt64 {
        text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}
