public import ComposeModel
public import Postgres

/// Every statement that this project sends to its database, one method an operation; nothing else contains SQL.
///
/// Each write names the state, and the lease, that it expects and looks at the number of rows it changed: whoever lost a race is told,
/// and has changed nothing. The methods throw `PostgresError`; its code `.connection` says that the database is away.
public struct ComposeStore: Sendable {
    let pool: PostgresPool

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Writes a request down in state `wait`; its event and the wake-up of a worker are part of the same transaction.
    ///
    /// - Parameter resubmission: Tells whether the request made a compose before, which is then the answer; `nil`: it did not.
    /// - Throws: ``ResubmissionKeyTaken``, `PostgresError`.
    public func submit(_ request: ComposeRequest, owner: String, unless resubmission: Resubmission? = nil) async throws -> Compose {
        let new = NewCompose(request, owner: owner)
        guard resubmission != nil else { return try await pool.withConnection { try await insert(new, on: $0) } }
        return try await pool.withTransaction { try await insert(new, unless: resubmission, on: $0) }
    }

    /// The compose with that id, `nil` where there is none.
    public func compose(_ id: Int) async throws -> Compose? {
        try await pool.query("SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id = \(id)").first.map(Compose.init)
    }

    /// What a new row is made of.
    struct NewCompose {
        var request: ComposeRequest
        var owner: String
        var renewedFrom: Compose?
        /// The watch that it is for, and what that has found the sources to be.
        var watch: (id: Int, pins: ComposePins)?

        init(_ request: ComposeRequest, owner: String, renewedFrom: Compose? = nil, watch: (id: Int, pins: ComposePins)? = nil) {
            self.request = request
            self.owner = owner
            self.renewedFrom = renewedFrom
            self.watch = watch
        }

        /// A renewed compose keeps the pins of the old one, and so its package versions. Where nothing came of the old one, its
        /// repositories may well be what was wrong, and are looked at anew.
        var pins: ComposePins? { watch?.pins ?? renewedFrom.flatMap { $0.state == .failed ? nil : $0.specification?.pins } }

        var kojiEvent: Int? { watch?.pins.koji?.tag?.event ?? request.kojiEvent ?? renewedFrom?.kojiEvent }
    }

    func insert(_ new: NewCompose, on connection: PostgresConnection) async throws -> Compose {
        let request = new.request
        let specification = new.pins.map { ComposeSpecification(request, pins: $0) }
        let source = new.renewedFrom?.source ?? request.source.joined(separator: " ")
        let rows = try await connection.query(
            """
            INSERT INTO composes AS c (
                owner, request, source_type, source, koji_event, compose_type, label, renewed_from, watch_id, specification,
                specification_key, is_pinned, time_to_expire
            ) VALUES (
                \(new.owner), \(PostgresJSON(request)), \(request.sourceType.rawValue), \(source),
                \(new.kojiEvent), \(request.composeType), \(request.label), \(new.renewedFrom?.id), \(new.watch?.id),
                \(specification.map(PostgresJSON.init)), \(try specification?.key()),
                \(specification != nil), now() + make_interval(secs => \(Double(request.secondsToLive)))
            ) RETURNING \(fragment: Compose.columns)
            """)
        return try Compose(rows[rows.startIndex])
    }
}
