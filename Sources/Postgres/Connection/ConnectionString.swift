import CPostgreSQL

extension PostgresConfiguration {
    /// Returns whether libpq can read a text as an address. It does not connect. Examples of addresses:
    /// `postgresql://odcs@db/odcs`, `host=db dbname=odcs`.
    public static func isConnectionString(_ text: String) -> Bool {
        guard let options = PQconninfoParse(text, nil) else { return false }
        PQconninfoFree(options)
        return true
    }
}
