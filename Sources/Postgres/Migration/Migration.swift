/// A numbered step from one version of the schema to the next.
public struct Migration: Sendable, Equatable {
    /// The version that the step leads to. The first step leads to 2, since the schema began as version 1.
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

/// The outcome of a run of a ``Migrator``.
public enum MigrationOutcome: Sendable, Equatable {
    /// The database was empty, and now has the whole schema.
    case created(version: Int)
    case upgraded(from: Int, to: Int)
    /// The database already had the newest version.
    case current
}

/// The reason why a database was not migrated. The database is unchanged.
public enum MigrationError: Error, Sendable, Equatable {
    /// A newer server has already migrated this database.
    case databaseIsNewer(database: Int, server: Int)
    /// The schema has tables, but no table that records their version.
    case unknownTables(schema: String)
    /// The server's own list of migrations is not numbered 2, 3, 4 … in this order.
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
