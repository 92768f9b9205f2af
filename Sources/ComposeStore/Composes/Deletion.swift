public import ComposeModel
import Postgres

/// The user who makes a request, and whether that user is an admin.
public struct Actor: Sendable {
    public var name: String
    public var isAdmin: Bool

    public init(name: String, isAdmin: Bool) {
        self.name = name
        self.isAdmin = isAdmin
    }
}

/// The outcome of a deletion.
public enum DeleteOutcome: Sendable {
    /// The compose was waiting or generating, and is `failed` now.
    case canceled(Compose)
    /// The compose had ended. The next run of the expirer removes it.
    case expired(Compose)
    case notAllowed(String)
    /// The compose is done, and open builds need it.
    case inUse(builds: [Int])
    /// The compose is `removed` already.
    case notPossible(ComposeState)
}

extension ComposeStore {
    /// Cancels a compose that is waiting or generating. This takes effect at once: a worker that builds it
    /// loses its lease. A compose that has ended is marked as expired. Both are for its owner and for
    /// admins.
    ///
    /// - Returns: `nil` if there is no such compose.
    public func delete(_ id: Int, by actor: Actor) async throws -> DeleteOutcome? {
        defer { newEvents.report() }
        return try await withFreeRows { connection in
            guard
                let compose = try await connection.query(
                    "SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id = \(id) FOR UPDATE NOWAIT"
                ).first.map(Compose.init)
            else { return nil }
            switch compose.state {
            case .wait, .generating:
                guard actor.isAdmin || actor.name == compose.owner else {
                    return .notAllowed("only \(compose.owner), the owner of compose \(id), or an admin can cancel it")
                }
                return .canceled(try await cancel(compose, by: actor, on: connection))
            case .done, .failed:
                guard actor.isAdmin || actor.name == compose.owner else {
                    return .notAllowed("only \(compose.owner), the owner of compose \(id), or an admin can remove it before its time")
                }
                let builds = try await builds(using: id, on: connection)
                guard builds.isEmpty else { return .inUse(builds: builds) }
                let rows = try await connection.query(
                    """
                    UPDATE composes c SET time_to_expire = now(), removed_by = \(actor.name) WHERE c.id = \(id)
                    RETURNING \(fragment: Compose.columns)
                    """)
                return .expired(try Compose(rows[rows.startIndex]))
            case .removed:
                return .notPossible(.removed)
            }
        }
    }

    private func cancel(_ compose: Compose, by actor: Actor, on connection: PostgresConnection) async throws -> Compose {
        let failure = ComposeFailure(.canceled, "Canceled by \(actor.name)")
        let rows = try await connection.query(
            """
            UPDATE composes c SET state = 4, state_reason = \(failure.message), failure = \(PostgresJSON(failure)), time_done = now(),
                time_to_expire = now() + make_interval(secs => \(Double(compose.request.secondsToLive))),
                lease_token = NULL, lease_expires_at = NULL, joined_to = NULL, caller = NULL
            WHERE c.id = \(compose.id) AND c.state IN (0, 1) RETURNING \(fragment: Compose.columns)
            """)
        _ = try await connection.query(
            "UPDATE attempts SET ended_at = now(), outcome = 'canceled' WHERE compose_id = \(compose.id) AND ended_at IS NULL")
        // The composes that had joined this one are not canceled: they return to the queue.
        _ = try await connection.query(
            "UPDATE composes SET state = 0, joined_to = NULL, available_at = now() WHERE joined_to = \(compose.id)")
        return try Compose(rows[rows.startIndex])
    }
}
