import CPostgreSQL

/// Owns one `PGresult` and reads it.
final class QueryResult: @unchecked Sendable {
    // libpq's manual, "Behavior in Threaded Programs": results are read-only after they are made and may be passed between threads.
    private let result: OpaquePointer

    let count: Int
    let affectedRows: Int
    /// The number of each column; of two with the same name, the first.
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

    /// Nil for NULL.
    func text(row: Int, column: Int32) -> String? {
        guard PQgetisnull(result, Int32(row), column) == 0 else { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: PQgetvalue(result, Int32(row), column), count: Int(PQgetlength(result, Int32(row), column)))
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What went wrong, where the server said it; nil where the error is libpq's own.
    var error: PostgresError? {
        guard let sqlState = field("C") else { return nil }
        return PostgresError(
            sqlState: sqlState, message: field("M") ?? "", constraint: field("n"), table: field("t"), column: field("c"),
            routine: field("R"))
    }

    /// A field of an error by its letter (`PG_DIAG_*`, which Swift does not import).
    private func field(_ letter: Unicode.Scalar) -> String? {
        PQresultErrorField(result, Int32(letter.value)).map { String(cString: $0) }
    }
}
