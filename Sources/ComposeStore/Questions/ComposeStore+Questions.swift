public import ComposeModel
public import Foundation
import Postgres

/// A question of a frontend that a worker answers.
public struct Question: Sendable {
    /// The kinds of questions.
    public enum Subject: Hashable, Sendable {
        /// What would be the result of the request now?
        case dryRun
        /// Why does a compose of the request not have a package? The package is a name, or a longer form
        /// of it. Example: `ed-1.20-3`.
        case absence(compose: Int, package: String)
    }

    public let id: Int
    public let request: ComposeRequest
    public let subject: Subject
    /// When the answer is not wanted any more.
    public let end: Date
    /// The mark of the worker that answers. Another worker gets another one.
    public let token: UUID

    /// Returns a lease of a compose that does not exist. The steps that look at a source work on such
    /// leases.
    ///
    /// - Parameter specification: The specification whose pins hold, or `nil` if the sources are looked at
    ///   as they are now.
    public func lease(pinnedBy specification: ComposeSpecification? = nil) -> ComposeLease {
        ComposeLease(
            compose: Compose(
                id: 0, owner: "", request: request, source: request.source.joined(separator: " "), state: .generating,
                timeSubmitted: .now, timeToExpire: .now, specification: specification, isPinned: specification != nil, resultOf: 0),
            token: token)
    }
}

/// The progress of a question.
public enum QuestionProgress: Hashable, Sendable {
    /// No worker has begun.
    case waiting
    /// A worker looks for the answer.
    case taken
    /// A JSON document.
    case answered(String)
}

extension ComposeStore {
    /// Stores a question, and wakes a worker. Deletes the questions that were left by frontends that ended.
    ///
    /// - Parameters:
    ///   - request: The request that the question is about.
    ///   - time: The time in which a worker may answer.
    /// - Returns: The id of the question.
    public func ask(_ subject: Question.Subject = .dryRun, of request: ComposeRequest, for time: Duration) async throws -> Int {
        var (compose, package): (Int?, String?)
        if case .absence(let id, let name) = subject { (compose, package) = (id, name) }
        let rows = try await pool.query(
            """
            WITH old AS (DELETE FROM questions WHERE expires_at < now()), asked AS (
                INSERT INTO questions (request, expires_at, compose_id, package)
                VALUES (\(PostgresJSON(request)), now() + \(fragment: interval(time)), \(compose), \(package)) RETURNING id
            )
            SELECT id, pg_notify(current_schema(), 'question ' || id)::text FROM asked
            """)
        return try rows[0].decode(Int.self, "id")
    }

    /// Returns how far the work on a question is.
    public func progress(of question: Int) async throws -> QuestionProgress {
        let row = try await pool.query(
            "SELECT answer, lease_token IS NOT NULL AND lease_expires_at > now() AS is_taken FROM questions WHERE id = \(question)"
        ).first
        if let answer = try row?.decode(String?.self, "answer") { return .answered(answer) }
        return try row?.decode(Bool.self, "is_taken") == true ? .taken : .waiting
    }

    /// Deletes a question, because its answer is read or not needed any more.
    public func withdraw(question: Int) async throws {
        _ = try await pool.query("DELETE FROM questions WHERE id = \(question)")
    }

    /// Takes the oldest question that no worker answers.
    ///
    /// - Parameters:
    ///   - left: The questions that the worker has left to others.
    ///   - length: The time after which another worker may take it, unless it is renewed.
    /// - Returns: `nil` if no question waits.
    public func takeQuestion(besides left: Set<Int> = [], for length: Duration) async throws -> Question? {
        let token = UUID()
        let rows = try await pool.query(
            """
            UPDATE questions q SET lease_token = \(token), lease_expires_at = now() + \(fragment: interval(length))
            WHERE q.id = (
                SELECT id FROM questions WHERE answer IS NULL AND expires_at > now() AND id <> ALL (\(left.sorted()))
                    AND (lease_expires_at IS NULL OR lease_expires_at < now()) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING q.id, q.request, q.expires_at, q.compose_id, q.package
            """)
        return try rows.first.map { row in
            let compose = try row.decode(Int?.self, "compose_id")
            let package = try row.decode(String?.self, "package")
            let subject = compose.flatMap { id in package.map { Question.Subject.absence(compose: id, package: $0) } } ?? .dryRun
            return Question(
                id: try row.decode(Int.self, "id"), request: try row.decode(PostgresJSON<ComposeRequest>.self, "request").value,
                subject: subject, end: try row.decode(Date.self, "expires_at"), token: token)
        }
    }

    /// Leaves a question to other workers, and wakes them.
    public func leave(_ question: Question) async throws {
        _ = try await pool.query(
            """
            WITH freed AS (
                UPDATE questions SET lease_token = NULL, lease_expires_at = NULL
                WHERE id = \(question.id) AND lease_token = \(question.token) RETURNING id
            )
            SELECT pg_notify(current_schema(), 'question ' || id)::text FROM freed
            """)
    }

    /// Continues the work on a question.
    ///
    /// - Returns: `false` if the frontend does not wait any more, or if another worker answers.
    public func keep(_ question: Question, for length: Duration) async throws -> Bool {
        try await pool.query(
            """
            UPDATE questions SET lease_expires_at = now() + \(fragment: interval(length))
            WHERE id = \(question.id) AND lease_token = \(question.token) AND expires_at > now()
            """
        ).affectedRows == 1
    }

    /// Stores the answer to a question, and wakes the frontend.
    public func answer(_ question: Question, with document: String) async throws {
        _ = try await pool.query(
            """
            WITH answered AS (
                UPDATE questions SET answer = \(document) WHERE id = \(question.id) AND lease_token = \(question.token) RETURNING id
            )
            SELECT pg_notify(current_schema(), 'answer ' || id)::text FROM answered
            """)
    }

    /// Returns the compose that is being built from these inputs, which an equal compose would join.
    public func composeUnderWay(specification: ComposeSpecification) async throws -> Int? {
        try await pool.query(
            """
            SELECT id FROM composes WHERE specification_key = \(try specification.key()) AND lease_token IS NOT NULL
            ORDER BY id LIMIT 1
            """
        ).first?.decode(Int.self, "id")
    }

    /// Returns the compose whose result a compose with these inputs, or with these packages, would show.
    ///
    /// - Parameter specification: `nil` if the same inputs need not mean the same files.
    public func reusableCompose(specification: ComposeSpecification?, packagesKey: String) async throws -> Int? {
        let key = try specification?.key()
        return try await pool.query(
            """
            SELECT r.id FROM results r
            WHERE (r.specification_key = \(key) OR r.packages_key = \(packagesKey)) AND r.retired_at IS NULL
                AND EXISTS (SELECT FROM composes c WHERE c.result_id = r.id AND c.state = 2)
            ORDER BY r.id DESC LIMIT 1
            """
        ).first?.decode(Int.self, "id")
    }

    /// Returns how many seconds the last composes took on average, from their start to their end. `nil` if
    /// no compose is done.
    public func averageSeconds() async throws -> Double? {
        try await pool.query(
            """
            SELECT avg(extract(epoch FROM time_done - time_started))::float8 AS seconds FROM (
                SELECT time_done, time_started FROM composes WHERE state = 2 AND time_started IS NOT NULL ORDER BY id DESC LIMIT 20
            ) last
            """
        ).first?.decode(Double?.self, "seconds")
    }
}
