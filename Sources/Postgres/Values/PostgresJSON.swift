import Foundation

/// A value that is stored as `jsonb`. Foundation's JSON coders encode it, with dates in ISO 8601.
public struct PostgresJSON<Value> {
    public var value: Value

    public init(_ value: Value) { self.value = value }
}

extension PostgresJSON: Sendable where Value: Sendable {}
extension PostgresJSON: Equatable where Value: Equatable {}

extension PostgresJSON: PostgresEncodable where Value: Encodable {
    public static var postgresType: PostgresType { .jsonb }

    public func postgresText() throws -> String? {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension PostgresJSON: PostgresDecodable where Value: Decodable {
    public init?(postgresText: String?) throws {
        guard let postgresText else { return nil }
        try self.init(text: postgresText)
    }

    /// Decodes the value from JSON.
    ///
    /// - Throws: `DecodingError`.
    public init(text: String) throws {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        value = try decoder.decode(Value.self, from: Data(text.utf8))
    }
}
