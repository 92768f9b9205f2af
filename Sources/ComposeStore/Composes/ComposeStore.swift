public import ComposeModel
public import Postgres
import TraceContext

/// The store of composes in PostgreSQL. It contains every SQL statement of this project, one method for
/// each operation.
///
/// Each write names the state and the lease that it expects, and checks the number of rows that it
/// changed. A caller that lost a race gets a result that reports it, and has changed nothing. The
/// methods throw `PostgresError`. The error code `.connection` means that the database cannot be
/// reached.
public struct ComposeStore: Sendable {
    let pool: PostgresPool
    private let submissions = SharedWork<Everyone, NewCompose, Compose?>(atOnce: 64)
    private let composesByID = SharedWork<Everyone, Int, Compose?>(atOnce: 64)
    let waitingOwners = WaitingOwners()
    let recordedLimits = RecordedLimits()
    let tokenChanges = ChangeCounter()
    let newEvents = EventSignal()
    let lists = SharedWork<ComposeQuery, Void, ComposePage>(atOnce: .max)

    public init(pool: PostgresPool) {
        self.pool = pool
    }

    /// The key of operations in which all callers share one queue.
    private struct Everyone: Hashable {}

    /// Stores a request as a compose in state `wait`. The same transaction contains its event and the
    /// wake-up of a worker.
    ///
    /// - Parameters:
    ///   - pins: The pins that the compose has from the start, or `nil` if a worker pins the sources.
    ///   - lock: The packages of the request's lock file, or `nil` if it has none. They are stored with the
    ///     compose, and only then.
    ///   - limit: The number of composes that may wait for the caller, or `nil` for any number.
    ///   - limits: The limits of the owner, if the owner is one account. `nil` leaves those of earlier
    ///     requests as they are.
    ///   - audit: The audit entry of the request, which is stored with the compose. Its object becomes the
    ///     compose. `nil` if the caller records the request itself.
    ///   - resubmission: The way to recognize an earlier, equal request. If there is one, its compose is
    ///     the answer. `nil` if the request is always new.
    /// - Throws: ``CallerLimitReached``, ``OwnerLimitReached``, ``ResubmissionKeyTaken``, `PostgresError`.
    public func submit(
        _ request: ComposeRequest, owner: String, pins: ComposePins? = nil, lock: PackageLock? = nil, limit: CallerLimit? = nil,
        limits: OwnerLimits? = nil, audit: AuditEntry? = nil, unless resubmission: Resubmission? = nil
    ) async throws -> Compose {
        defer { newEvents.report() }
        // Limits that no statement has to look at cost nothing.
        let limits = limits.flatMap { $0.areCounted || !recordedLimits.contains($0, of: owner) ? $0 : nil }
        var new = NewCompose(request, owner: owner, limit: limit, limits: limits, audit: audit)
        new.fixedPins = pins
        new.lock = lock
        guard resubmission == nil else {
            return try await pool.withTransaction { try await insert(new, unless: resubmission, on: $0) }
        }
        if let compose = try await submissions.answer(Everyone(), new, work: insert) { return compose }
        return try await insertAlone(new)
    }

    private func insertAlone(_ new: NewCompose) async throws -> Compose {
        guard new.limit != nil || new.limits != nil || new.lock != nil else {
            return try await pool.withConnection { try await insert(new, on: $0) }
        }
        let compose = try await pool.withTransaction { try await insert(new, unless: nil, on: $0) }
        recordedLimits.add(new)
        return compose
    }

    /// Inserts composes of several requests in one transaction.
    ///
    /// - Returns: `nil` for each compose if one of them may have made the transaction fail. Nothing was
    ///   inserted then, and each must be inserted alone.
    private func insert(_ new: [NewCompose]) async throws -> [Result<Compose?, any Error>] {
        if new.count == 1 { return [.success(try await insertAlone(new[0]))] }
        do {
            // The transaction must begin explicitly. Only then it is certain that a canceled one has inserted
            // nothing.
            let answers: [Result<Compose?, any Error>] = try await pool.withTransaction { connection in
                let refusals = try await refusals(of: new, on: connection)
                var composes = try await insert(zip(new, refusals).filter { $1 == nil }.map(\.0), on: connection)[...]
                return refusals.map { refusal in refusal.map { .failure($0) } ?? .success(composes.removeFirst()) }
            }
            new.forEach(recordedLimits.add)
            return answers
        } catch let error as PostgresError where ![.connection, .timeout, .canceled].contains(error.code) {
            return new.map { _ in .success(nil) }
        }
    }

    /// Returns the compose with that id, or `nil` if no compose has that id.
    public func compose(_ id: Int) async throws -> Compose? {
        try await composesByID.answer(Everyone(), id) { ids in
            let rows = try await pool.query(
                "SELECT \(fragment: Compose.columns) FROM composes c WHERE c.id IN (\(fragment: Self.alternatives(Set(ids))))")
            // A row that cannot be decoded fails only for the callers that ask for it.
            let found = Dictionary(
                uniqueKeysWithValues: try rows.map { row in (try row.decode(Int.self, "id"), Result { try Compose(row) }) })
            return ids.map { id in found[id].map { $0.map(Optional.some) } ?? .success(nil) }
        }
    }

    /// Returns parameters for ids, as a list. The last one is repeated until their number is a power of
    /// two, so there are few different statements.
    ///
    /// PostgreSQL keeps the plan of such a statement. The cost of a statement with an array depends on the
    /// length of the array, so it is planned each time, which takes five times as long as running it.
    static func alternatives(_ ids: Set<Int>) -> SQL {
        var ids = ids.sorted()
        guard let last = ids.last else { return "NULL" }
        while !ids.count.isPowerOfTwo { ids.append(last) }
        return ids.dropFirst().reduce("\(ids[0])") { "\(fragment: $0), \(fragment: "\($1)")" }
    }

    /// The values of a new row.
    struct NewCompose: Sendable {
        var request: ComposeRequest
        var owner: String
        var renewedFrom: Compose?
        /// The watch that the compose is made for, and the pins that the watch's look has found.
        var watch: (id: Int, pins: ComposePins)?
        /// The pins that the request came with, or `nil` if it has none.
        var fixedPins: ComposePins?
        /// The packages of the request's lock file.
        var lock: PackageLock?
        /// The number of composes that may wait for the caller of this one, or `nil` for any number.
        var limit: CallerLimit?
        /// The limits of the owner. `nil` if they are not known, or if the owner is not one account.
        var limits: OwnerLimits?
        /// The audit entry of the request, or `nil` if none is stored with the compose.
        var audit: AuditEntry?
        /// The span of the request. The attempts at the compose are parts of the same trace.
        let traceParent = TraceParent.current?.description

        init(
            _ request: ComposeRequest, owner: String, renewedFrom: Compose? = nil, watch: (id: Int, pins: ComposePins)? = nil,
            limit: CallerLimit? = nil, limits: OwnerLimits? = nil, audit: AuditEntry? = nil
        ) {
            self.request = request
            self.owner = owner
            self.renewedFrom = renewedFrom
            self.watch = watch
            self.limit = limit
            self.limits = limits
            self.audit = audit
        }

        /// The pins that the new compose has from the start. A renewed compose keeps the pins of the old one,
        /// and thereby its package versions. If the old one failed, its repositories may have been the cause,
        /// so they are pinned again, unless the packages are those of a lock file.
        var pins: ComposePins? {
            fixedPins ?? watch?.pins
                ?? renewedFrom.flatMap { $0.state == .failed && request.lock == nil ? nil : $0.specification?.pins }
        }

        var source: String { renewedFrom?.source ?? request.source.joined(separator: " ") }

        var kojiEvent: Int? { (fixedPins ?? watch?.pins)?.koji?.tag?.event ?? request.kojiEvent ?? renewedFrom?.kojiEvent }
    }

    func insert(_ new: NewCompose, on connection: PostgresConnection) async throws -> Compose {
        try await insert([new], on: connection)[0]
    }

    /// Inserts several composes, and their audit entries, with one statement. The packages of their lock
    /// files are stored before them.
    ///
    /// - Returns: The inserted composes in the order of `new`.
    private func insert(_ new: [NewCompose], on connection: PostgresConnection) async throws -> [Compose] {
        guard !new.isEmpty else { return [] }
        try await keep(new.compactMap(\.lock), on: connection)
        let specifications = new.map { new in new.pins.map { ComposeSpecification(new.request, pins: $0) } }
        let insertion: SQL = """
            INSERT INTO composes AS c (
                owner, request, source_type, source, koji_event, compose_type, label, renewed_from, watch_id, specification,
                specification_key, is_pinned, time_to_expire, caller, traceparent
            )
            SELECT n.owner, n.request::jsonb, n.source_type, n.source, n.koji_event, n.compose_type, n.label, n.renewed_from, n.watch_id,
                n.specification::jsonb, n.specification_key, n.specification IS NOT NULL, now() + make_interval(secs => n.seconds), n.caller,
                n.traceparent
            FROM unnest(
                \(new.map(\.owner)), \(new.map(\.request.json)),
                \(new.map(\.request.sourceType.rawValue)), \(new.map(\.source)), \(new.map(\.kojiEvent)),
                \(new.map(\.request.composeType)), \(new.map(\.request.label)), \(new.map(\.renewedFrom?.id)), \(new.map(\.watch?.id)),
                \(try specifications.map { try $0.map(PostgresJSON.init)?.postgresText() }), \(try specifications.map { try $0?.key() }),
                \(new.map { Double($0.request.secondsToLive) }), \(new.map(\.limit?.caller)), \(new.map(\.traceParent))
            ) AS n (
                owner, request, source_type, source, koji_event, compose_type, label, renewed_from, watch_id, specification,
                specification_key, seconds, caller, traceparent
            )
            RETURNING \(fragment: Compose.columns)
            """
        let places = new.indices.filter { new[$0].audit != nil }
        let rows = try await connection.query(
            places.isEmpty
                ? insertion
                : """
                WITH inserted AS (\(fragment: insertion)), audited AS (
                    \(fragment: AuditEntry.recording(
                        places.compactMap { new[$0].audit },
                        objects: """
                            ARRAY(
                                SELECT 'compose ' || i.id FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM inserted) i
                                WHERE i.place = ANY(\(places.map { $0 + 1 })) ORDER BY i.place
                            )
                            """))
                )
                SELECT * FROM inserted
                """)
        // PostgreSQL assigns identities in the order of the arrays.
        return try rows.map(Compose.init).sorted { $0.id < $1.id }
    }
}

extension Int {
    fileprivate var isPowerOfTwo: Bool { nonzeroBitCount == 1 }
}
