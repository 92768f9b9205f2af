import ComposeModel
import Foundation
import Postgres

/// A delivery turn is the right of one worker to deliver to a subscriber for a while, with the next
/// events of that subscriber.
public struct DeliveryTurn: Sendable {
    /// An event that is sent again because a person asked for it.
    public struct Replay: Sendable {
        public let letter: Int
        public let event: StoredEvent
    }

    let subscriber: Int
    let token: UUID
    let position: Int
    /// The positions after the cursor that were delivered in earlier turns.
    let ahead: Set<Int>
    /// The position up to which the turn knows all events.
    let knownTo: Int
    /// All events after the cursor, up to ``knownTo``, with those that were delivered already.
    let read: [StoredEvent]
    /// How many deliveries have failed in a row before this turn.
    public let failures: Int
    /// The event that was refused in earlier turns, and how often.
    public let refused: (position: Int, times: Int)?
    public let replays: [Replay]
    /// The events to deliver.
    public var events: [StoredEvent] { read.filter { !ahead.contains($0.position) } }
    /// Whether further events may wait.
    public let isFull: Bool

    /// Returns how many deliveries have failed in a row, after a failure in this turn.
    ///
    /// If the subscriber took other events before, the row begins anew. Otherwise a subscriber that refuses
    /// one event in a hundred would be given longer and longer pauses. An event that is refused once more
    /// continues its row.
    ///
    /// - Parameters:
    ///   - taken: The number of events that the subscriber took in this turn.
    ///   - position: The event that it refused. `nil` if it did not answer.
    public func failures(afterTaking taken: Int, refusing position: Int?) -> Int {
        let isRefusedAgain = position != nil && position == refused?.position
        return taken > 0 && !isRefusedAgain ? 1 : failures + 1
    }
}

/// The outcome of the deliveries of one turn.
public struct DeliveryReport: Sendable {
    /// A delivery that is tried again later.
    public struct Failure: Sendable {
        public let problem: String
        public let pause: Duration
        /// The event, if the subscriber answered. A subscriber that does not answer refuses no event.
        public let position: Int?

        public init(problem: String, pause: Duration, position: Int?) {
            self.problem = problem
            self.pause = pause
            self.position = position
        }
    }

    /// The positions of events that the subscriber took, or that do not concern it.
    public var done: Set<Int> = []
    /// How many events the subscriber took.
    public var taken = 0
    /// The events that the subscriber refused for good: the problem and the number of attempts, by
    /// position.
    public var dead: [Int: (problem: String, attempts: Int)] = [:]
    /// The dead letters that the subscriber took, and the problems of those that it did not take.
    public var replayed: Set<Int> = []
    public var stillDead: [Int: String] = [:]
    public var failure: Failure?
    /// Why no deliveries are made until a person resumes them.
    public var end: String?

    /// Whether the subscriber took or refused anything.
    fileprivate var hasAnswers: Bool { taken > 0 || !dead.isEmpty || !replayed.isEmpty || !stillDead.isEmpty }

    /// Whether dead letters come or go.
    fileprivate var changesLetters: Bool { !dead.isEmpty || !replayed.isEmpty || !stillDead.isEmpty }

    public init() {}
}

extension ComposeStore {
    /// The maximum number of dead letters that are sent again in one turn.
    private static let mostReplays = 20

    /// Takes the turn to deliver to a subscriber.
    ///
    /// The events that were deleted before the subscriber took them become one dead letter.
    ///
    /// - Parameters:
    ///   - presence: The presence of the worker. If it is lost, the turn is shortened.
    ///   - length: The length of the turn. If the worker dies, another one can take a turn afterwards.
    ///   - limit: The maximum number of events.
    /// - Returns: `nil` if another worker has the turn, if nothing is to be delivered, or if the subscriber
    ///   is paused or rests after a failed delivery.
    public func takeDeliveryTurn(
        to name: String, present presence: WorkerPresence? = nil, for length: Duration, limit: Int = 100
    ) async throws -> DeliveryTurn? {
        let token = UUID()
        let rows = try await pool.query(
            """
            UPDATE subscribers s SET lease_token = \(token), lease_expires_at = now() + \(fragment: interval(length)),
                presence = \(presence?.key)
            FROM event_clock c
            WHERE s.name = \(name) AND s.paused_at IS NULL AND (s.retry_at IS NULL OR s.retry_at <= now())
                AND (s.lease_expires_at IS NULL OR s.lease_expires_at < now())
                AND (s.position < c.position
                    OR EXISTS (SELECT FROM dead_letters d WHERE d.subscriber_id = s.id AND d.replayed_at IS NOT NULL))
            RETURNING s.id, s.position AS cursor, s.ahead, s.failures, s.failing_position, s.refusals, c.position AS last, c.deleted_to,
                EXISTS (SELECT FROM dead_letters d WHERE d.subscriber_id = s.id AND d.replayed_at IS NOT NULL) AS has_replays
            """)
        guard let row = rows.first else { return nil }
        do {
            return try await readTurn(row, token, limit: limit)
        } catch {
            // The next worker need not wait until the turn is over, even if the task was canceled.
            try await Task {
                _ = try await pool.query(
                    "UPDATE subscribers SET lease_token = NULL, lease_expires_at = NULL WHERE name = \(name) AND lease_token = \(token)")
            }.value
            throw error
        }
    }

    /// Shortens the turns of workers whose presence is lost.
    func shortenDeliveryTurnsOfAbsentWorkers() async throws {
        let grace: SQL = "now() + \(fragment: interval(WorkerPresence.grace))"
        _ = try await pool.query(
            """
            WITH absent AS MATERIALIZED (
                SELECT presence FROM (
                    SELECT DISTINCT presence FROM subscribers WHERE lease_expires_at > \(fragment: grace) AND presence IS NOT NULL OFFSET 0
                ) p WHERE pg_try_advisory_xact_lock(presence)
            )
            UPDATE subscribers SET lease_expires_at = \(fragment: grace)
            WHERE id IN (
                SELECT s.id FROM subscribers s JOIN absent USING (presence)
                WHERE s.lease_expires_at > \(fragment: grace) FOR UPDATE OF s SKIP LOCKED
            )
            """)
    }

    /// Ends the turns whose time is over, because their workers are lost. Notifies, so that other workers
    /// take them.
    ///
    /// - Returns: The number of turns.
    @discardableResult
    public func endLostDeliveryTurns() async throws -> Int {
        try await pool.query(
            """
            WITH lost AS (
                UPDATE subscribers SET lease_token = NULL, lease_expires_at = NULL WHERE lease_expires_at < now() RETURNING id
            )
            SELECT id, pg_notify(current_schema(), 'events 0')::text AS woken FROM lost
            """
        ).count
    }

    /// Reads the events of a turn that was taken.
    private func readTurn(_ row: PostgresRow, _ token: UUID, limit: Int) async throws -> DeliveryTurn {
        let subscriber = try row.decode(Int.self, "id")
        let cursor = try row.decode(Int.self, "cursor")
        let ahead = Set(try row.decode([Int].self, "ahead"))
        let last = try row.decode(Int.self, "last")
        let start = try await skipDeleted(subscriber, token, from: cursor, ahead, to: try row.decode(Int.self, "deleted_to"))
        let read = try await events(where: "e.position > \(start) AND e.position <= \(last)", limit: limit)
        let isFull = read.count == limit
        let replays = try row.decode(Bool.self, "has_replays") ? try await replays(of: subscriber) : []
        return DeliveryTurn(
            subscriber: subscriber, token: token, position: start, ahead: ahead, knownTo: isFull ? read.last?.position ?? last : last,
            read: read, failures: try row.decode(Int.self, "failures"),
            refused: try row.decode(Int?.self, "failing_position").map { ($0, try row.decode(Int.self, "refusals")) },
            replays: replays, isFull: isFull || replays.count == Self.mostReplays)
    }

    /// Moves the cursor past deleted events, and records how many the subscriber lost.
    private func skipDeleted(_ subscriber: Int, _ token: UUID, from cursor: Int, _ ahead: Set<Int>, to deletedTo: Int) async throws -> Int {
        guard cursor < deletedTo else { return cursor }
        let lost = deletedTo - cursor - ahead.count { $0 <= deletedTo }
        if lost > 0 {
            _ = try await pool.query(
                """
                INSERT INTO dead_letters (subscriber_id, lost, problem, attempts)
                SELECT id, \(lost), 'These events were deleted because of their age before the subscriber took them.', 0
                FROM subscribers WHERE id = \(subscriber) AND lease_token = \(token)
                """)
        }
        _ = try await pool.query(
            "UPDATE subscribers SET position = \(deletedTo) WHERE id = \(subscriber) AND lease_token = \(token)")
        return deletedTo
    }

    private func replays(of subscriber: Int) async throws -> [DeliveryTurn.Replay] {
        let letters = try await pool.query(
            """
            SELECT id, event_id FROM dead_letters WHERE subscriber_id = \(subscriber) AND replayed_at IS NOT NULL
            ORDER BY id LIMIT \(Self.mostReplays)
            """
        ).map { (id: try $0.decode(Int.self, "id"), event: try $0.decode(Int.self, "event_id")) }
        if letters.isEmpty { return [] }
        let events = try await events(where: "e.id = ANY(\(letters.map(\.event)))", limit: letters.count)
        return letters.compactMap { letter in
            events.first { $0.id == letter.event }.map { DeliveryTurn.Replay(letter: letter.id, event: $0) }
        }
    }

    /// Ends a turn: moves the cursor as far as everything is done, and records what was refused. Does this
    /// even if the task was canceled, so that nothing is delivered again that was delivered.
    ///
    /// A turn that was lost changes nothing. Its events are delivered again.
    public func end(_ turn: DeliveryTurn, with report: DeliveryReport) async throws {
        let (cursor, ahead) = turn.progress(report)
        let statement: SQL = """
            UPDATE subscribers SET position = \(cursor), ahead = \(ahead.sorted()), \(fragment: turn.health(report))
                paused_at = CASE WHEN \(report.end != nil) THEN now() ELSE paused_at END,
                delivered_at = CASE WHEN \(report.taken > 0) THEN now() ELSE delivered_at END,
                lease_token = NULL, lease_expires_at = NULL
            WHERE id = \(turn.subscriber) AND lease_token = \(turn.token)
            """
        try await Task {
            if !report.changesLetters {
                _ = try await pool.query(statement)
                return
            }
            try await pool.withTransaction { connection in
                guard try await connection.query(statement).affectedRows == 1 else { return }
                for event in turn.read {
                    guard let dead = report.dead[event.position] else { continue }
                    _ = try await connection.query(
                        """
                        INSERT INTO dead_letters AS d (subscriber_id, event_id, problem, attempts)
                        SELECT \(turn.subscriber), id, \(dead.problem.bounded(to: 1000)), \(dead.attempts)
                        FROM events WHERE id = \(event.id) FOR KEY SHARE
                        ON CONFLICT (subscriber_id, event_id) DO UPDATE
                        SET problem = excluded.problem, attempts = d.attempts + excluded.attempts, died_at = now(), replayed_at = NULL
                        """)
                }
                _ = try await connection.query("DELETE FROM dead_letters WHERE id = ANY(\(Array(report.replayed)))")
                for (letter, problem) in report.stillDead {
                    _ = try await connection.query(
                        """
                        UPDATE dead_letters SET replayed_at = NULL, attempts = attempts + 1, problem = \(problem.bounded(to: 1000))
                        WHERE id = \(letter)
                        """)
                }
            }
        }.value
    }
}

extension DeliveryTurn {
    /// Returns the new cursor, and the positions after it that are done.
    fileprivate func progress(_ report: DeliveryReport) -> (cursor: Int, ahead: Set<Int>) {
        let done = ahead.union(report.done).union(report.dead.keys)
        if let first = read.first(where: { !done.contains($0.position) }) {
            return (first.position - 1, done.filter { $0 >= first.position })
        }
        return (knownTo, done.filter { $0 > knownTo })
    }

    /// Returns the assignments of the columns that say how the subscriber answers. A turn without any
    /// answer, because the worker stops, changes none of them.
    fileprivate func health(_ report: DeliveryReport) -> SQL {
        guard report.hasAnswers || report.failure != nil || report.end != nil else { return "" }
        let position = report.failure?.position
        let refusals = position == nil ? 0 : position == refused?.position ? (refused?.times ?? 0) + 1 : 1
        let isFine = report.failure == nil && report.end == nil
        let rest: SQL = report.failure.map { "now() + \(fragment: interval($0.pause))" } ?? "NULL"
        return """
            failures = \(isFine ? 0 : failures(afterTaking: report.taken, refusing: position)),
            problem = \((report.end ?? report.failure?.problem)?.bounded(to: 1000)), retry_at = \(fragment: rest),
            failing_position = \(position), refusals = \(refusals),
            """
    }
}
