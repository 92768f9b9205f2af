import Postgres

extension ComposeStore {
    /// Deletes the rows of a table that are older than `age`.
    ///
    /// A statement has a limit of time. So each one deletes a bounded number of rows, however many are old
    /// after a retention was shortened.
    ///
    /// - Parameters:
    ///   - column: The column with the time of a row.
    ///   - most: The maximum number of rows for one statement.
    /// - Returns: The number of deleted rows.
    func deleteRows(of table: SQL, by column: SQL, olderThan age: Duration, atOnce most: Int = 10_000) async throws -> Int {
        var count = 0
        while true {
            let deleted = try await pool.query(
                """
                DELETE FROM \(fragment: table) WHERE ctid = ANY(ARRAY(
                    SELECT ctid FROM \(fragment: table) WHERE \(fragment: column) < now() - \(fragment: interval(age)) LIMIT \(most)
                ))
                """
            ).affectedRows
            count += deleted
            if deleted < most { return count }
        }
    }
}
