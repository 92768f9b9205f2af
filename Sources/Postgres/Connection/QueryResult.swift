import CPostgreSQL

/// The owner of one `PGresult`, which it reads.
final class QueryResult: @unchecked Sendable {
    // libpq's manual, "Behavior in Threaded Programs": results cannot change after they are made, and may
    // be passed between threads.
    private let result: OpaquePointer

    let count: Int
    let affectedRows: Int
    /// The number of each column by its name. If two columns have the same name, the first one counts.
    let columns: [String: Int32]

    init(_ result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        affectedRows = Int(String(cString: PQcmdTuples(result))) ?? 0
        columns = Dictionary(
            (0..<PQnfields(result)).compactMap { number in PQfname(result, number).map { (String(cString: $0), number) } },
            uniquingKeysWith: { first, _ in first })
    }

    deinit { PQclear(result) }

    var status: ExecStatusType { PQresultStatus(result) }

    /// Returns the text of a value, or nil for NULL.
    func text(row: Int, column: Int32) -> String? {
        guard PQgetisnull(result, Int32(row), column) == 0 else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), column), count: Int(PQgetlength(result, Int32(row), column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The error that the server sent, or nil when the error comes from libpq itself.
    var error: PostgresError? {
        guard let sqlState = field("C") else { return nil }
        return PostgresError(
            sqlState: sqlState, message: field("M") ?? "", constraint: field("n"), table: field("t"), column: field("c"),
            routine: field("R"))
    }

    /// Returns a field of an error by its letter (`PG_DIAG_*`, which Swift does not import).
    private func field(_ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) }
    }
}
