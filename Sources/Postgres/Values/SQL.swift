/// A statement with its parameters, written as an interpolated string. The values become `$1`, `$2` …
/// and are sent separately.
///
/// Example: `"SELECT 1 WHERE id = \(id)"` has the text `SELECT 1 WHERE id = $1`.
///
/// Text is inserted into the statement only by an explicit label: `\(unsafe:)` for text that the
/// program itself wrote, `\(identifier:)` for a quoted name, `\(fragment:)` for a piece of SQL. The
/// parameters of the piece are renumbered.
public struct SQL: Sendable {
    enum Piece: Sendable {
        case text(String)
        case parameter(Parameter)
    }

    struct Parameter: Sendable {
        let type: PostgresType
        /// The text form. An encoding error is reported when the statement is sent, since an interpolation
        /// cannot throw.
        let text: Result<String?, PostgresError>
    }

    var pieces: [Piece]

    /// A JSON parameter. Example: `\(SQL.JSON(value))`.
    public typealias JSON<Value> = PostgresJSON<Value>

    /// The text that PostgreSQL receives, with `$1`, `$2` … for the parameters.
    public var text: String {
        var text = ""
        var count = 0
        for piece in pieces {
            switch piece {
            case .text(let part):
                text += part
            case .parameter:
                count += 1
                text += "$\(count)"
            }
        }
        return text
    }

    var parameters: [Parameter] {
        pieces.compactMap { piece in
            guard case .parameter(let parameter) = piece else { return nil }
            return parameter
        }
    }
}

extension SQL: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { pieces = [.text(text)] }

    public init(stringInterpolation: StringInterpolation) { pieces = stringInterpolation.pieces }

    public struct StringInterpolation: StringInterpolationProtocol {
        var pieces: [Piece] = []

        public init(literalCapacity: Int, interpolationCount: Int) { pieces.reserveCapacity(2 * interpolationCount + 1) }

        public mutating func appendLiteral(_ text: String) { pieces.append(.text(text)) }

        /// Adds a parameter.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value) {
            pieces.append(.parameter(Parameter(value)))
        }

        /// Adds a parameter that is NULL if `value` is nil.
        public mutating func appendInterpolation<Value: PostgresEncodable>(_ value: Value?) {
            pieces.append(.parameter(Parameter(value)))
        }

        /// Adds text without change. Never use it for input, but for schema names, or an ORDER BY from a closed
        /// list.
        public mutating func appendInterpolation(unsafe text: String) { pieces.append(.text(text)) }

        /// Adds a quoted name.
        public mutating func appendInterpolation(identifier name: String) { pieces.append(.text(SQL.quoted(identifier: name))) }

        /// Adds another piece of SQL, and renumbers its parameters.
        public mutating func appendInterpolation(fragment: SQL) { pieces += fragment.pieces }
    }

    static func quoted(identifier name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
}

extension SQL.Parameter {
    init<Value: PostgresEncodable>(_ value: Value) {
        type = Value.postgresType
        do throws(PostgresError) {
            text = .success(try Self.text(of: value))
        } catch {
            text = .failure(error)
        }
    }

    private static func text(of value: some PostgresEncodable) throws(PostgresError) -> String? {
        let text: String?
        do {
            text = try value.postgresText()
        } catch let error as PostgresError {
            throw error
        } catch {
            // An encoder's own error may quote the value, so it is not passed on.
            throw PostgresError(.encoding, "a \(Swift.type(of: value)) could not be encoded")
        }
        if let text, text.utf8.contains(0) {
            throw PostgresError(.encoding, "a text contains the character NUL (U+0000), which PostgreSQL cannot store")
        }
        return text
    }
}
