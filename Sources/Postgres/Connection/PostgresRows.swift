/// The result of a statement: its rows, or the number of rows that it changed.
public struct PostgresRows: Sendable, RandomAccessCollection {
    let result: QueryResult

    /// The number of rows that were inserted, updated, deleted or selected.
    public var affectedRows: Int { result.affectedRows }

    public var startIndex: Int { 0 }
    public var endIndex: Int { result.count }

    public subscript(position: Int) -> PostgresRow {
        precondition(indices.contains(position), "there is no such row")
        return PostgresRow(result: result, index: position)
    }
}

/// A row of a result.
public struct PostgresRow: Sendable {
    let result: QueryResult
    let index: Int

    /// Returns the value of the column with this name, as the SQL names it. `T` must be optional if the
    /// column may be NULL.
    ///
    /// - Throws: ``PostgresError`` with code `decoding`, which names the column and quotes its content.
    public func decode<T: PostgresDecodable>(_ type: T.Type, _ column: String) throws -> T {
        guard let number = result.columns[column] else {
            let columns = result.columns.keys.sorted().joined(separator: ", ")
            throw PostgresError(.decoding, "the answer has no column \"\(column)\", only \(columns.isEmpty ? "none at all" : columns)")
        }
        let text = result.text(row: index, column: number)
        do {
            if let value = try T(postgresText: text) { return value }
        } catch let error as PostgresError {
            throw error
        } catch {
            throw Self.mismatch(column, text, type, reason: ": \(error)")
        }
        throw Self.mismatch(column, text, type, reason: "")
    }

    /// Returns the value of the column with this name. The type is inferred from the context.
    public func decode<T: PostgresDecodable>(_ column: String) throws -> T { try decode(T.self, column) }

    private static func mismatch(_ column: String, _ text: String?, _ type: Any.Type, reason: String) -> PostgresError {
        guard let text else { return PostgresError(.decoding, "column \"\(column)\" is NULL where a \(type) was expected") }
        let shown = text.count > 40 ? text.prefix(40) + "…" : text[...]
        return PostgresError(.decoding, "column \"\(column)\" holds \"\(shown)\" where a \(type) was expected\(reason)")
    }
}
