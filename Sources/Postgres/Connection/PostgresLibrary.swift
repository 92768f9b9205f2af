import CPostgreSQL

/// PostgreSQL's client library on this host.
public enum PostgresLibrary {
    /// The version of libpq that the process has loaded, such as `15.14`.
    public static var version: String {
        let number = PQlibVersion()
        return "\(number / 10_000).\(number % 10_000)"
    }
}
