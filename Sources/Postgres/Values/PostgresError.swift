/// An error of PostgreSQL, of libpq or of this module.
///
/// Its text may be written to a log. It contains no parameter values and no password.
public struct PostgresError: Error, Sendable, Equatable {
    /// The kinds of errors that a caller may handle differently.
    public enum Code: Sendable, Hashable {
        /// No connection could be made, or it was lost: SQLSTATE class 08, 57P01 to 57P05, 25P03, 25P04, 53300.
        /// It is unknown whether a running statement took effect.
        case connection
        /// A constraint with this name refused the row (class 23). For NOT NULL, the name is `table.column`.
        case constraint(String)
        /// The transaction conflicted with another one and must be repeated: 40001, 40P01.
        case serialization
        /// A time limit passed, for a statement or for the wait for a connection of the pool.
        case timeout
        /// Another user, for example the operator, canceled the statement. A cancellation of the caller's own
        /// task is a `CancellationError` instead.
        case canceled
        /// A parameter that PostgreSQL cannot store or Swift cannot encode.
        case encoding
        /// A column is missing, or holds a value of another type than the caller expects.
        case decoding
        /// Any other error of the statement or its use.
        case query
    }

    public var code: Code
    /// The five characters that identify the error in PostgreSQL (its manual, appendix A). Nil when the
    /// server sent no error. Example: "40001".
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

    /// Whether the same operation may succeed later.
    public var isTransient: Bool {
        switch code {
        case .connection, .serialization, .timeout, .canceled: true
        case .constraint, .encoding, .decoding: false
        // Transient are: no disk space or memory left, a lock that NOWAIT did not get, and a plan that is
        // older than the table.
        case .query: sqlState?.hasPrefix("53") == true || isOfLockedRow || isStalePlan
        }
    }

    /// Whether another transaction holds a row that was requested with NOWAIT, or holds it for longer than
    /// `lock_timeout`.
    public var isOfLockedRow: Bool { sqlState == "55P03" }

    /// Whether the server's plan of a prepared statement no longer fits the table. The statement was not
    /// run.
    var isStalePlan = false
}

extension PostgresError: CustomStringConvertible {
    public var description: String { sqlState.map { "\(message) (SQLSTATE \($0))" } ?? message }
}

extension PostgresError {
    /// Makes an error from the fields of the server's error message.
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
            // This SQLSTATE has both meanings. Only the text distinguishes them.
            code = message.contains("user request") ? .canceled : .timeout
        case _ where sqlState.hasPrefix("23"):
            code = .constraint(constraint ?? [table, column].compactMap(\.self).joined(separator: "."))
        default:
            isStalePlan = sqlState == "26000" || (sqlState == "0A000" && routine == "RevalidateCachedQuery")
        }
    }

    /// Returns the message without values of parameters. Errors of class 22 quote the invalid value.
    private static func withoutValues(_ message: String, sqlState: String) -> String {
        guard sqlState.hasPrefix("22"), let first = message.firstIndex(of: "\""), let last = message.lastIndex(of: "\""), first < last
        else {
            return message
        }
        return message[...first] + "…" + message[last...]
    }
}
