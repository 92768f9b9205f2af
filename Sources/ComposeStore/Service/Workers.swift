public import Foundation
import Postgres

extension ComposeStore {
    /// The time without a sign of life after which a worker no longer counts as alive.
    static let workerSilence = Duration.seconds(60)

    /// Records that a worker is alive, and deletes workers that have been silent for a day.
    public func workerIsAlive(_ name: String, slots: Int) async throws {
        _ = try await pool.query(
            """
            INSERT INTO workers (name, slots) VALUES (\(name), \(slots))
            ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, seen_at = now()
            """)
        _ = try await pool.query("DELETE FROM workers WHERE seen_at < now() - interval '1 day'")
    }

    /// Records that a worker stopped.
    public func workerStopped(_ name: String) async throws {
        _ = try await pool.query("DELETE FROM workers WHERE name = \(name)")
    }
}

/// A worker that has recorded that it is alive.
public struct WorkerRecord: Sendable {
    public let name: String
    public let slots: Int
    /// The time of its last sign of life.
    public let seen: Date
    public let isAlive: Bool
}

/// The composes of one owner that are in progress or wait.
public struct OwnerShare: Sendable {
    public let owner: String
    public let underWay: Int
    public let waiting: Int
}

extension ComposeStore {
    /// Returns the workers of the last day, the newest sign of life first.
    public func workers() async throws -> [WorkerRecord] {
        try await pool.query(
            """
            SELECT name, slots, seen_at, seen_at > now() - \(fragment: interval(Self.workerSilence)) AS is_alive
            FROM workers ORDER BY seen_at DESC LIMIT 500
            """
        ).map { row in
            WorkerRecord(
                name: try row.decode(String.self, "name"), slots: try row.decode(Int.self, "slots"),
                seen: try row.decode(Date.self, "seen_at"), isAlive: try row.decode(Bool.self, "is_alive"))
        }
    }

    /// Returns the owners with the most composes that are in progress or wait.
    public func ownerShares(most: Int) async throws -> [OwnerShare] {
        try await pool.query(
            """
            SELECT owner, count(*) FILTER (WHERE state = 1) AS under_way, count(*) FILTER (WHERE state = 0) AS waiting
            FROM composes WHERE state IN (0, 1) GROUP BY owner ORDER BY count(*) DESC, owner LIMIT \(most)
            """
        ).map { row in
            OwnerShare(
                owner: try row.decode(String.self, "owner"), underWay: try row.decode(Int.self, "under_way"),
                waiting: try row.decode(Int.self, "waiting"))
        }
    }
}
