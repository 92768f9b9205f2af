import Postgres

/// The database settings are the section `database` of the configuration.
public struct DatabaseSettings: Hashable, Sendable {
    /// The connection string. `nil` means the embedded cluster, which is in the state directory.
    public var url: String?
    public var schema: String
    /// The maximum number of connections of the process.
    public var connections: Int

    public init(url: String?, schema: String, connections: Int) {
        self.url = url
        self.schema = schema
        self.connections = connections
    }
}

extension ConfigurationReader {
    public mutating func database() throws -> DatabaseSettings {
        DatabaseSettings(
            url: try databaseURL(), schema: try string("database.schema", default: "odcs"),
            connections: try int("database.connections", default: 10, in: 2...1000))
    }

    /// Returns the address of the database, which can be in a file because it can have a password. Returns
    /// `nil` if neither key is set.
    private mutating func databaseURL() throws -> String? {
        let url = try optionalString("database.url")
        guard let file = try optionalPath("database.url_file") else { return try url.map { try checked($0, "database.url", "is") } }
        guard url == nil else { throw mistake("database.url_file", "cannot be set together with database.url") }
        return try checked(try secret(in: file, "database.url_file"), "database.url_file", "names a file whose first line is")
    }

    /// Returns an address that libpq can read. A mistake does not quote the address, because it can have a
    /// password.
    private func checked(_ url: String, _ key: String, _ verb: String) throws -> String {
        guard PostgresConfiguration.isConnectionString(url) else {
            throw mistake(key, "\(verb) neither \"postgresql://user@host/database\" nor \"host=… dbname=…\"")
        }
        return url
    }
}
