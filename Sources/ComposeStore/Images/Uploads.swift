public import ImageModel
import Postgres

/// An upload limit is how much one sender may upload within 24 hours: build contexts, and archives of
/// components. Equal archives count once.
///
/// Example: `account alice` may upload 5,000,000,000 bytes.
public struct UploadLimit: Hashable, Sendable {
    /// The account, or the address of a sender that the service does not know.
    public let sender: String
    /// In bytes.
    public let most: Int

    public init(sender: String, most: Int) {
        self.sender = sender
        self.most = most
    }
}

/// An error: an archive is refused because its sender has uploaded too much. Nothing was stored.
public struct UploadLimitReached: Error, Hashable, Sendable {
    public let limit: UploadLimit
    /// The time in seconds after which there is room for the archive. `nil` if it is larger than the limit
    /// itself.
    public let retryAfter: Int?
}

extension ComposeStore {
    /// Records an archive that is about to be kept. One that is sent again counts no second time, so an
    /// upload may be repeated after a failure.
    ///
    /// - Throws: ``UploadLimitReached``, `PostgresError`.
    public func recordUpload(of archive: ImageDigest, bytes: Int, within limit: UploadLimit) async throws {
        let (sender, digest) = (limit.sender, archive.description)
        try await pool.withTransaction { connection in
            // Two uploads of the same sender are counted one after the other.
            _ = try await connection.query(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' uploads ' || \(sender), 0))")
            try await check(bytes, besides: digest, within: limit, on: connection)
            _ = try await connection.query(
                """
                INSERT INTO uploads (sender, digest, bytes) VALUES (\(sender), \(digest), \(bytes))
                ON CONFLICT (sender, digest) DO UPDATE SET created_at = now()
                """)
        }
    }

    /// Checks that a sender may upload more, before anything of the archive is read.
    ///
    /// - Parameter bytes: The size of the archive, or `nil` if it is not known.
    /// - Throws: ``UploadLimitReached``, `PostgresError`.
    public func checkUpload(ofBytes bytes: Int?, within limit: UploadLimit) async throws {
        guard (bytes ?? 0) <= limit.most else { throw UploadLimitReached(limit: limit, retryAfter: nil) }
        // The archive may be one that counts already, so it needs room for one byte only.
        try await pool.withTransaction { try await check(1, besides: "", within: limit, on: $0) }
    }

    /// Returns the bytes that a sender has uploaded within 24 hours.
    public func uploadedBytes(by sender: String) async throws -> Int {
        let rows = try await pool.query(
            """
            SELECT coalesce(sum(bytes), 0)::bigint AS bytes FROM uploads
            WHERE sender = \(sender) AND created_at > now() - interval '1 day'
            """)
        return try rows[rows.startIndex].decode(Int.self, "bytes")
    }

    private func check(_ bytes: Int, besides digest: String, within limit: UploadLimit, on connection: PostgresConnection) async throws {
        guard bytes <= limit.most else { throw UploadLimitReached(limit: limit, retryAfter: nil) }
        let room = limit.most - bytes
        let rows = try await connection.query(
            """
            SELECT coalesce(max(total), 0)::bigint AS bytes,
                coalesce(ceil(extract(epoch FROM min(created_at) FILTER (WHERE total - freed <= \(room)) + interval '1 day' - now())), 1)
                    ::integer AS seconds
            FROM (
                SELECT created_at, sum(bytes) OVER () AS total, sum(bytes) OVER (ORDER BY created_at, digest) AS freed
                FROM uploads
                WHERE sender = \(limit.sender) AND digest <> \(digest) AND created_at > now() - interval '1 day'
            ) u
            """)
        let row = rows[rows.startIndex]
        guard try row.decode(Int.self, "bytes") <= room else {
            throw UploadLimitReached(limit: limit, retryAfter: max(1, try row.decode(Int.self, "seconds")))
        }
    }
}
