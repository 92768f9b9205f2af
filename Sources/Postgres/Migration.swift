/// One numbered step from a version of the schema to the next.
public struct Migration: Sendable, Equatable {
    /// The version that the step leads to; the first is 2, since the schema began as version 1.
    public let number: Int
    public let name: String
    /// Statements that run inside one transaction.
    public let sql: String

    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }
}

/// What a ``Migrator`` did.
public enum MigrationOutcome: Sendable, Equatable {
    /// The database was empty.
    case created(version: Int)
    case upgraded(from: Int, to: Int)
    /// There was nothing to do.
    case current
}

/// Why a database was left as it was.
public enum MigrationError: Error, Sendable, Equatable {
    /// A newer server has been at work on this database.
    case databaseIsNewer(database: Int, server: Int)
    /// There are tables, but none that says which version they are.
    case unknownTables(schema: String)
    /// The server's own list of migrations is not 2, 3, 4 … in this order.
    case misnumbered([Int])
}

extension MigrationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .databaseIsNewer(let database, let server):
            "the database has schema version \(database), and this server knows versions up to \(server): run the newer server, or restore a backup"
        case .unknownTables(let schema):
            "the schema \"\(schema)\" has tables but no \(Migrator.versionTable): use an empty schema or another database"
        case .misnumbered(let numbers):
            "migrations must be numbered 2, 3, 4 …, not \(numbers.map(String.init).joined(separator: ", "))"
        }
    }
}
