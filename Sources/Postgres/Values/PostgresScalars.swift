public import struct Foundation.Date
public import struct Foundation.UUID

// The PostgreSQL types of Swift's own types.

extension String: PostgresArrayElement, PostgresDecodable {
    /// The type is inferred by PostgreSQL, so that a string can also be passed as an enum, an interval or
    /// an inet.
    public static var postgresType: PostgresType { .inferred }
    public static var postgresArrayType: PostgresType { .textArray }

    public func postgresText() -> String? { self }

    public init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self = postgresText
    }
}

extension Bool: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .bool }
    public static var postgresArrayType: PostgresType { .boolArray }

    public func postgresText() -> String? { self ? "t" : "f" }

    public init?(postgresText: String?) {
        switch postgresText {
        case "t": self = true
        case "f": self = false
        default: return nil
        }
    }
}

extension Int: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .bigint }
    public static var postgresArrayType: PostgresType { .bigintArray }
}

extension Int64: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .bigint }
    public static var postgresArrayType: PostgresType { .bigintArray }
}

extension Int32: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .integer }
    public static var postgresArrayType: PostgresType { .integerArray }
}

extension FixedWidthInteger where Self: PostgresEncodable {
    public func postgresText() -> String? { String(self) }
}

extension FixedWidthInteger where Self: PostgresDecodable {
    public init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension Double: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .doublePrecision }
    public static var postgresArrayType: PostgresType { .doublePrecisionArray }

    /// Swift and PostgreSQL (since 12) both write the shortest text that reads back as the same number.
    public func postgresText() -> String? { String(self) }

    public init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(postgresText)
    }
}

extension UUID: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .uuid }
    public static var postgresArrayType: PostgresType { .uuidArray }

    public func postgresText() -> String? { uuidString }

    public init?(postgresText: String?) {
        guard let postgresText else { return nil }
        self.init(uuidString: postgresText)
    }
}

/// A moment with a precision of one microsecond, like `timestamptz`.
extension Date: PostgresArrayElement, PostgresDecodable {
    public static var postgresType: PostgresType { .timestamptz }
    public static var postgresArrayType: PostgresType { .timestamptzArray }

    public func postgresText() throws -> String? {
        guard let timestamp = Timestamp(self) else {
            throw PostgresError(.encoding, "a date is outside the years that PostgreSQL can store")
        }
        return timestamp.description
    }

    public init?(postgresText: String?) {
        guard let timestamp = postgresText.flatMap(Timestamp.init) else { return nil }
        self = timestamp.date
    }
}
