import CPostgreSQL
import Glibc
import Tracing

/// A session with PostgreSQL, which runs one statement at a time.
///
/// Each statement is prepared once, and is found again by its text and the types of its parameters. If
/// the task of a running statement is canceled, the statement is canceled on the server, and the
/// session ends.
@PostgresThread public final class PostgresConnection {
    private var handle: ConnectionHandle?
    private let cancelRequest: CancelRequest?
    private var statements: PreparedStatements
    private var statementsPrepared = 0
    private var isBusy = false
    private let tracesStatements: Bool
    /// Whether ``ask(_:)`` waits for its answer, and the rows of it so far.
    private var isAsked = false
    private var answered: [String] = []

    /// Connects with the settings of `configuration`. The size of the pool has no effect here.
    init(_ configuration: PostgresConfiguration) async throws {
        let handle = try await BlockingCalls.connect(configuration)
        self.handle = handle
        cancelRequest = CancelRequest(handle)
        statements = PreparedStatements(capacity: configuration.preparedStatements)
        tracesStatements = configuration.tracesStatements
    }

    /// Runs one statement.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError`.
    public func query(_ sql: SQL) async throws -> PostgresRows {
        try await traced(sql.text) {
            let (key, values) = try sql.prepared()
            return PostgresRows(result: try await inTurn { try await execute(key, values) })
        }
    }

    /// Runs statements in a transaction of their own, and sends all of them at once. Each sees what those
    /// before it have changed, and the commits of other transactions until it began.
    ///
    /// - Returns: The rows of each statement.
    /// - Throws: The error of the first statement that failed. Nothing was changed then. If the connection
    ///   is lost, or the task is canceled, it is unknown whether the transaction took effect.
    public func transaction(_ statements: [SQL]) async throws -> [PostgresRows] {
        try await traced(statements.map(\.text).joined(separator: ";\n")) {
            let prepared = try statements.map { try $0.prepared() }
            return try await inTurn { try await executeAtOnce(prepared) }.map { PostgresRows(result: $0) }
        }
    }

    private func traced<R>(_ statement: @autoclosure () -> String, _ run: () async throws -> R) async throws -> R {
        guard tracesStatements, let context = ServiceContext.current else { return try await run() }
        let text = statement()
        let span = startSpan(String(text.drop { $0.isWhitespace }.prefix { $0.isLetter }), context: context, ofKind: .client)
        defer { span.end() }
        span.attributes["db.system.name"] = "postgresql"
        // It has no values, because they are parameters.
        span.attributes["db.query.text"] = text
        do { return try await run() } catch {
            span.setStatus(SpanStatus(code: .error))
            throw error
        }
    }

    /// Runs a script of any number of statements, without parameters. Its results are discarded.
    ///
    /// Outside a transaction, the whole script is one transaction, unless it contains statements that
    /// control transactions.
    public func simple(_ script: String) async throws {
        _ = try await inTurn { try await exchange { PQsendQuery($0, script) } }
    }

    // MARK: For the pool and the listener

    var isClosed: Bool { handle == nil }

    /// Whether the session waits for a statement outside any transaction, so that another task may use it.
    var isIdle: Bool { !isBusy && transactionStatus == PQTRANS_IDLE }

    /// Checks whether the idle session is still usable.
    ///
    /// A server sends nothing to an idle session, except a last message before it closes the connection. A
    /// read without waiting finds this message, or the end of the stream, before a statement is sent.
    func isUntouched() -> Bool {
        guard let handle else { return false }
        var byte: UInt8 = 0
        return recv(PQsocket(handle.connection), &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == -1 && errno == EAGAIN
    }

    /// Ends the session. The server rolls back all changes that were not committed.
    func close() { handle = nil }

    /// Commits the transaction, or throws when this is not possible. After a failed statement, PostgreSQL
    /// answers COMMIT with a silent rollback.
    ///
    /// A cancellation after the COMMIT was sent has no effect. So a caller that gets a `CancellationError`
    /// has committed nothing.
    func commit() async throws {
        try Task.checkCancellation()
        guard transactionStatus != PQTRANS_INERROR else {
            throw PostgresError(.query, "the transaction was rolled back, because a statement in it had failed")
        }
        _ = try await inTurn { try await exchange(heedingCancellation: false) { PQsendQuery($0, "COMMIT") } }
    }

    /// Rolls back, even if the task is canceled. It closes a session that does not answer within 5 seconds.
    func rollback() async {
        guard !isClosed, !isBusy, transactionStatus != PQTRANS_IDLE else { return }
        do {
            _ = try await inTurn {
                try await exchange(before: .now + .seconds(5), heedingCancellation: false) { PQsendQuery($0, "ROLLBACK") }
            }
        } catch {
            close()
        }
    }

    // MARK: For the listener

    /// The messages that a session that listens has received.
    struct Received {
        var notifications: [(channel: String, payload: String)] = []
        /// The texts in the first column of the rows that answer ``ask(_:)``.
        var texts: [String] = []
        /// Whether the server has answered ``ask(_:)``.
        var isAnswer = false
    }

    /// Asks the server. Before it answers, it sends the notifications of all transactions that were
    /// committed by now.
    ///
    /// - Parameter question: A query for texts, or an empty statement.
    func ask(_ question: String) throws {
        guard PQsendQuery(try established(), question) == 1 else { throw lost() }
        isAsked = true
        answered = []
    }

    /// Waits until the server sends notifications, or answers ``ask(_:)``. The session must listen on a
    /// channel.
    ///
    /// - Parameter pause: The caller can end the wait by waking it. Nothing may have been received then.
    /// - Throws: ``PostgresError`` if the session is lost, or at `deadline`. `CancellationError`.
    func receive(_ pause: Suspension, before deadline: ContinuousClock.Instant?) async throws -> Received {
        try await inTurn {
            let connection = try established()
            if let received = try received(connection) { return received }
            let unsent = PQflush(connection) == 1
            switch await pause.wait(for: PQsocket(connection), writable: unsent, until: deadline) {
            case .ready: break
            case .cancelled: throw CancellationError()
            case .deadline:
                close()
                throw PostgresError(.connection, "PostgreSQL did not answer in time")
            }
            guard PQconsumeInput(connection) == 1 else { throw lost() }
            return try received(connection) ?? Received()
        }
    }

    /// Returns what has arrived. Returns `nil` if that is nothing.
    private func received(_ connection: OpaquePointer) throws -> Received? {
        var received = Received()
        while isAsked, PQisBusy(connection) == 0 {
            guard let result = PQgetResult(connection) else {
                received.isAnswer = true
                received.texts = answered
                isAsked = false
                break
            }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_EMPTY_QUERY: break
            case PGRES_TUPLES_OK: answered += (0..<PQntuples(result)).map { String(cString: PQgetvalue(result, $0, 0)) }
            default: throw lost()
            }
        }
        // Notifications come last, because the search for the answer has found those before it.
        received.notifications = pendingNotifications(connection)
        return received.isAnswer || !received.notifications.isEmpty ? received : nil
    }

    // MARK: The protocol

    private var transactionStatus: PGTransactionStatusType { handle.map { PQtransactionStatus($0.connection) } ?? PQTRANS_UNKNOWN }

    private func established() throws(PostgresError) -> OpaquePointer {
        guard let handle else { throw PostgresError(.connection, "the connection to PostgreSQL is closed") }
        return handle.connection
    }

    private func inTurn<R>(_ work: () async throws -> R) async throws -> R {
        guard !isBusy else { throw PostgresError(.query, "a connection runs one statement at a time, and this one is running another") }
        isBusy = true
        defer { isBusy = false }
        return try await work()
    }

    private func execute(_ key: PreparedStatements.Key, _ parameters: [String?]) async throws -> QueryResult {
        let inTransaction = transactionStatus != PQTRANS_IDLE
        do {
            return try await executePrepared(key, parameters)
        } catch let error as PostgresError where error.isStalePlan {
            // The statement was not run. If a transaction was open, it has failed, and only the caller can begin
            // it again.
            if let name = statements.remove(key), !inTransaction, error.sqlState != "26000" { try await deallocate(name) }
            if inTransaction { throw error }
            return try await executePrepared(key, parameters)
        }
    }

    private func executePrepared(_ key: PreparedStatements.Key, _ parameters: [String?]) async throws -> QueryResult {
        let name = try await prepare(key)
        let values = CStringArray(parameters)
        return try await exchange { connection in
            values.withPointers { PQsendQueryPrepared(connection, name, Int32(parameters.count), $0, nil, nil, 0) }
        }
    }

    /// Runs statements with libpq's pipeline mode. Without BEGIN, all that comes before the synchronization
    /// is one transaction.
    private func executeAtOnce(_ statements: [(key: PreparedStatements.Key, values: [String?])]) async throws -> [QueryResult] {
        guard transactionStatus == PQTRANS_IDLE else { throw PostgresError(.query, "a transaction is open already") }
        do {
            return try await pipeline(statements)
        } catch let error as PostgresError where error.isStalePlan {
            // The transaction was rolled back, so it can begin again.
            for (key, _) in statements {
                if let name = self.statements.remove(key), error.sqlState != "26000" { try await deallocate(name) }
            }
            return try await pipeline(statements)
        }
    }

    private func pipeline(_ statements: [(key: PreparedStatements.Key, values: [String?])]) async throws -> [QueryResult] {
        var names: [String] = []
        for (key, _) in statements { names.append(try await prepare(key)) }
        try Task.checkCancellation()
        let connection = try established()
        guard PQenterPipelineMode(connection) == 1 else { throw lost() }
        for (name, (_, values)) in zip(names, statements) {
            let sent = CStringArray(values).withPointers {
                PQsendQueryPrepared(connection, name, Int32(values.count), $0, nil, nil, 0)
            }
            guard sent == 1 else { throw lost() }
        }
        guard PQpipelineSync(connection) == 1 else { throw lost() }
        var results: [QueryResult] = []
        var failure: PostgresError?
        var isBetweenResults = false
        while true {
            try await receive(connection, before: nil, heedingCancellation: true)
            guard let result = PQgetResult(connection).map(QueryResult.init) else {
                // The results of each statement have an end. A second one means that the connection is lost.
                guard !isBetweenResults else { throw lost() }
                isBetweenResults = true
                continue
            }
            isBetweenResults = false
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                guard PQexitPipelineMode(connection) == 1 else { throw lost() }
                if let failure { throw failure }
                return results
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: results.append(result)
            // A statement after the one that failed.
            case PGRES_PIPELINE_ABORTED: break
            default:
                failure = failure ?? result.error ?? lost()
                if let failure, isClosed || failure.code == .connection {
                    close()
                    throw failure
                }
            }
        }
    }

    private func prepare(_ key: PreparedStatements.Key) async throws -> String {
        if let name = statements.name(of: key) { return name }
        if transactionStatus != PQTRANS_INERROR, let oldest = statements.makeRoom() { try await deallocate(oldest) }
        statementsPrepared += 1
        let name = "s\(statementsPrepared)"
        _ = try await exchange { PQsendPrepare($0, name, key.text, Int32(key.types.count), key.types.map(\.oid)) }
        statements.insert(key, name: name)
        return name
    }

    private func deallocate(_ name: String) async throws {
        _ = try await exchange { PQsendQuery($0, "DEALLOCATE \(name)") }
    }

    /// Sends one request and receives the server's whole answer to it.
    private func exchange(
        before deadline: ContinuousClock.Instant? = nil, heedingCancellation: Bool = true, _ send: (OpaquePointer) -> Int32
    ) async throws -> QueryResult {
        if heedingCancellation { try Task.checkCancellation() }
        let connection = try established()
        guard send(connection) == 1 else {
            if PQstatus(connection) == CONNECTION_BAD { throw lost() }
            throw PostgresError(.query, ConnectionHandle.message(of: connection))
        }
        var last: QueryResult?
        var failure: PostgresError?
        while true {
            try await receive(connection, before: deadline, heedingCancellation: heedingCancellation)
            guard let result = PQgetResult(connection).map(QueryResult.init) else { break }
            last = result
            switch result.status {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                break
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                close()
                throw PostgresError(.query, "COPY to and from the client is not supported")
            default:
                failure = failure ?? result.error ?? lost()
            }
            if isClosed { break }
        }
        if let failure {
            if failure.code == .connection { close() }
            throw failure
        }
        guard let last else { throw lost() }
        return last
    }

    /// Waits until the whole request is sent, and the next result or the end of the results can be read
    /// without blocking.
    private func receive(_ connection: OpaquePointer, before deadline: ContinuousClock.Instant?, heedingCancellation: Bool) async throws {
        while true {
            // A request that cannot be sent completely is not an error yet. The server may have sent a reason
            // before it closed the connection.
            let unsent = PQflush(connection) == 1
            guard unsent || PQisBusy(connection) == 1 else { return }
            switch await Suspension.wait(
                for: PQsocket(connection), writable: unsent, until: deadline, heedingCancellation: heedingCancellation)
            {
            case .ready:
                // If the connection is lost, the next result reports it.
                PQconsumeInput(connection)
            case .cancelled:
                cancelRequest?.send()
                close()
                throw CancellationError()
            case .deadline:
                close()
                throw PostgresError(.connection, "PostgreSQL did not answer in time")
            }
        }
    }

    /// Returns the error of a connection that cannot be used any more, and closes it.
    private func lost() -> PostgresError {
        defer { close() }
        return PostgresError(
            .connection, handle.map { ConnectionHandle.message(of: $0.connection) } ?? "the connection to PostgreSQL is closed")
    }

    private func pendingNotifications(_ connection: OpaquePointer) -> [(channel: String, payload: String)] {
        var notifications: [(channel: String, payload: String)] = []
        while let notification = PQnotifies(connection) {
            notifications.append((String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        return notifications
    }
}

extension SQL {
    /// Returns the key of the prepared statement, and the values of the parameters.
    ///
    /// - Throws: ``PostgresError`` if a value cannot be encoded.
    fileprivate func prepared() throws -> (key: PreparedStatements.Key, values: [String?]) {
        (PreparedStatements.Key(text: text, types: parameters.map(\.type)), try parameters.map { try $0.text.get() })
    }
}
