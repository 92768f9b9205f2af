import ComposeModel
import Foundation
import Postgres

extension Compose {
    /// The columns of `composes AS c` that ``init(_:)`` reads.
    static let columns: SQL = """
        c.request, c.source, c.state_reason, c.failure, c.specification, \(fragment: shortColumns)
        """

    /// The columns for a list, like ``columns`` but with long texts cut. Only composes of Pulp have their
    /// specification, because it contains their architectures.
    static let listColumns: SQL = """
        \(fragment: ShortColumns.request("c.request")) AS request, \(fragment: ShortColumns.text("c.source")) AS source,
        \(fragment: ShortColumns.text("c.state_reason")) AS state_reason, \(fragment: ShortColumns.failure("c.failure")) AS failure,
        CASE WHEN c.source_type = \(SourceType.pulp.rawValue) THEN c.specification END AS specification, \(fragment: shortColumns)
        """

    private static let shortColumns: SQL = """
        c.id, c.owner, c.state, c.koji_event, c.koji_task_id, c.pungi_compose_id, c.time_submitted, c.time_started, c.time_done,
        \(fragment: timeToExpire) AS time_to_expire, c.time_removed, c.removed_by, c.is_pinned,
        coalesce(c.result_id, c.joined_to, c.id) AS result_of, c.attempts, c.watch_id
        """

    /// An SQL expression for the time at which the compose of `composes AS c` expires. A compose that shows
    /// a result expires with the result, unless a person removed it before.
    static let timeToExpire: SQL = """
        CASE WHEN c.state = 2 AND c.removed_by IS NULL THEN (SELECT r.expires_at FROM results r WHERE r.id = c.result_id)
        ELSE c.time_to_expire END
        """

    private static let requests = ReadTexts<ComposeRequest>()
    private static let specifications = ReadTexts<ComposeSpecification>()

    init(_ row: PostgresRow) throws {
        let number = try row.decode(Int.self, "state")
        guard let state = ComposeState(rawValue: number) else { throw UnknownState(number: number) }
        self.init(
            id: try row.decode(Int.self, "id"),
            owner: try row.decode(String.self, "owner"),
            request: try Self.requests.value(of: row.decode(String.self, "request")),
            source: try row.decode(String.self, "source"),
            state: state,
            stateReason: try row.decode(String?.self, "state_reason"),
            failure: try row.decode(PostgresJSON<ComposeFailure>?.self, "failure")?.value,
            kojiEvent: try row.decode(Int?.self, "koji_event"),
            kojiTaskID: try row.decode(Int?.self, "koji_task_id"),
            pungiComposeID: try row.decode(String?.self, "pungi_compose_id"),
            timeSubmitted: try row.decode(Date.self, "time_submitted"),
            timeStarted: try row.decode(Date?.self, "time_started"),
            timeDone: try row.decode(Date?.self, "time_done"),
            timeToExpire: try row.decode(Date.self, "time_to_expire"),
            timeRemoved: try row.decode(Date?.self, "time_removed"),
            removedBy: try row.decode(String?.self, "removed_by"),
            specification: try row.decode(String?.self, "specification").map(Self.specifications.value),
            isPinned: try row.decode(Bool.self, "is_pinned"),
            resultOf: try row.decode(Int.self, "result_of"),
            attempts: try row.decode(Int.self, "attempts"),
            watch: try row.decode(Int?.self, "watch_id"))
    }

    /// An error: the compose has a state that this version does not know. The database belongs to a newer
    /// version.
    struct UnknownState: Error, CustomStringConvertible {
        let number: Int
        var description: String { "a compose has the state \(number), which this version does not know" }
    }
}
