public import ComposeModel
import Postgres

// The packages of lock files, from which composes are made again.
extension ComposeStore {
    /// The time that a lock is kept after its last use. A compose that begins later compares digests only.
    private static let kept = Duration.seconds(86_400)

    /// Keeps the packages of lock files, until some time after the composes that need them have ended.
    ///
    /// All transactions store them in the same order, so that no two of them wait for each other.
    func keep(_ locks: [PackageLock], on connection: PostgresConnection) async throws {
        for lock in locks.sorted(by: { $0.digest < $1.digest }) {
            _ = try await connection.query(
                """
                INSERT INTO locks (digest, packages) VALUES (\(lock.digest), \(lock.text))
                ON CONFLICT (digest) DO UPDATE SET time_used = now()
                """)
        }
    }

    /// Returns the packages of a lock file, or `nil` if they are not kept any more.
    public func lock(_ digest: String) async throws -> PackageLock? {
        try await pool.query("SELECT packages FROM locks WHERE digest = \(digest)").first.map {
            PackageLock(text: try $0.decode(String.self, "packages"))
        }
    }

    /// Deletes the packages of lock files that no compose needs any more.
    ///
    /// - Returns: The number of the lock files.
    public func deleteUnusedLocks() async throws -> Int {
        try await pool.query(
            """
            DELETE FROM locks l WHERE time_used < now() - \(fragment: interval(Self.kept))
                AND NOT EXISTS (SELECT FROM composes c WHERE c.state IN (0, 1) AND c.request->>'lock' = l.digest)
            """
        ).affectedRows
    }
}
