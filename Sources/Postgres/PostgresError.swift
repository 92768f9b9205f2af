/// Why something asked of PostgreSQL was not done.
///
/// Its text may go to a log: it holds no parameter values and no password.
public struct PostgresError: Error, Sendable, Equatable {
    /// The kinds that a caller may want to tell apart.
    public enum Code: Sendable, Hashable {
        /// No connection could be made, or it was lost: SQLSTATE class 08, 57P01 to 57P05, 25P03, 25P04, 53300. Whether a statement under way took
        /// effect is unknown.
        case connection
        /// A constraint with this name refused the row (class 23); for NOT NULL, `table.column`.
        case constraint(String)
        /// Transactions stood in each other's way and this one has to begin anew: 40001, 40P01.
        case serialization
        /// A time limit passed: of a statement, or of the wait for a connection of the pool.
        case timeout
        /// Somebody else canceled the statement, as an administrator may. (One's own cancellation is a `CancellationError`.)
        case canceled
        /// A parameter that PostgreSQL cannot store or Swift cannot encode.
        case encoding
        /// A column that is missing, or holds something else than was asked for.
        case decoding
        /// Anything else that is wrong with the statement or its use.
        case query
    }

    public var code: Code
    /// The five characters by which PostgreSQL names the error (its manual, appendix A); nil where the server said nothing.
    public var sqlState: String?
    public var message: String
    /// The constraint that refused a row.
    public var constraint: String?

    public init(_ code: Code, _ message: String, sqlState: String? = nil, constraint: String? = nil) {
        self.code = code
        self.message = message
        self.sqlState = sqlState
        self.constraint = constraint
    }

    /// The same may succeed when tried again later.
    public var isTransient: Bool {
        switch code {
        case .connection, .serialization, .timeout, .canceled: true
        case .constraint, .encoding, .decoding: false
        // Out of disk or memory; a lock that NOWAIT did not get; a plan made before the table changed.
        case .query: sqlState?.hasPrefix("53") == true || isOfLockedRow || isStalePlan
        }
    }

    /// Another transaction holds a row that was wanted with NOWAIT, or for longer than `lock_timeout`.
    public var isOfLockedRow: Bool { sqlState == "55P03" }

    /// The server's plan of a prepared statement no longer fits the table; nothing was run.
    var isStalePlan = false
}

extension PostgresError: CustomStringConvertible {
    public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}

extension PostgresError {
    /// What the server answered, by the fields of its error message.
    init(sqlState: String, message: String, constraint: String?, table: String?, column: String?, routine: String?) {
        self.init(.query, Self.withoutValues(message, sqlState: sqlState), sqlState: sqlState, constraint: constraint)
        switch sqlState {
        case "53300", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04":
            code = .connection
        case _ where sqlState.hasPrefix("08"):
            code = .connection
        case "40001", "40P01":
            code = .serialization
        case "57014":
            // The one SQLSTATE has both meanings, and only the text tells them apart.
            code = message.contains("user request") ? .canceled : .timeout
        case _ where sqlState.hasPrefix("23"):
            code = .constraint(constraint ?? [table, column].compactMap(\.self).joined(separator: "."))
        default:
            isStalePlan = sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
        }
    }

    /// Errors of class 22 quote the value that they complain about.
    private static func withoutValues(_ message: String, sqlState: String) -> String {
        guard sqlState.hasPrefix("22"), let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\""), first < last
        else {
            return message
        }
        return message[...first] + "…" + message[last...]
    }
}
