/// A value that can be a parameter of a statement. It is sent in PostgreSQL's text form of
/// ``postgresType``.
public protocol PostgresEncodable {
    static var postgresType: PostgresType { get }

    /// Returns the text form, or nil for NULL.
    func postgresText() throws -> String?
}

/// A value that can be read from a column's text form.
public protocol PostgresDecodable {
    /// Reads a value.
    ///
    /// - Parameter postgresText: The text in the column, or nil for NULL.
    /// - Returns: nil when the text is not a value of this type.
    init?(postgresText: String?) throws
}

/// A value that can be an element of a one-dimensional array.
public protocol PostgresArrayElement: PostgresEncodable {
    static var postgresArrayType: PostgresType { get }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    public static var postgresType: PostgresType { Wrapped.postgresType }

    public func postgresText() throws -> String? { try self?.postgresText() }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    public init?(postgresText: String?) throws {
        guard postgresText != nil else {
            self = .none
            return
        }
        guard let wrapped = try Wrapped(postgresText: postgresText) else { return nil }
        self = .some(wrapped)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement {
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }
}

/// An enum with a raw value, a string or a number, is sent and read as the raw value.
extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    public static var postgresType: PostgresType { RawValue.postgresType }

    public func postgresText() throws -> String? { try rawValue.postgresText() }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    public init?(postgresText: String?) throws {
        guard let rawValue = try RawValue(postgresText: postgresText) else { return nil }
        self.init(rawValue: rawValue)
    }
}
