/// A data type of PostgreSQL, as its object identifier. For the types here, the identifier is the same
/// in every database.
public struct PostgresType: Hashable, Sendable {
    public let oid: UInt32

    public init(oid: UInt32) { self.oid = oid }

    /// The type is left to PostgreSQL, which infers it from the position of the parameter.
    public static let inferred = PostgresType(oid: 0)

    public static let bool = PostgresType(oid: 16)
    public static let bigint = PostgresType(oid: 20)
    public static let integer = PostgresType(oid: 23)
    public static let doublePrecision = PostgresType(oid: 701)
    public static let timestamptz = PostgresType(oid: 1184)
    public static let uuid = PostgresType(oid: 2950)
    public static let jsonb = PostgresType(oid: 3802)

    public static let boolArray = PostgresType(oid: 1000)
    public static let integerArray = PostgresType(oid: 1007)
    public static let textArray = PostgresType(oid: 1009)
    public static let bigintArray = PostgresType(oid: 1016)
    public static let doublePrecisionArray = PostgresType(oid: 1022)
    public static let timestamptzArray = PostgresType(oid: 1185)
    public static let uuidArray = PostgresType(oid: 2951)
}
