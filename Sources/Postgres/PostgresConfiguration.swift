/// Where a PostgreSQL server is, and how sessions with it are set up.
public struct PostgresConfiguration: Sendable {
    /// In either form that libpq understands: `postgresql://user@host/database` or `host=… dbname=…`.
    public var connectionString: String
    /// The schema that unqualified names mean; nil leaves `search_path` to the server.
    public var schema: String?
    /// How many connections a pool opens at most.
    public var size: Int
    /// After it the server cancels a statement; nil for never.
    public var statementTimeout: Duration?
    /// After it the server ends the session of a transaction that sends no statement, with all its locks: that of a process that hangs or was
    /// stopped; nil for never.
    public var idleTransactionTimeout: Duration?
    /// How long it may take to connect.
    public var connectTimeout: Duration
    /// How long to wait for a connection of the pool while all are in use.
    public var acquireTimeout: Duration
    /// How many prepared statements a connection keeps.
    public var preparedStatements: Int
    /// What the sessions call themselves in `pg_stat_activity`.
    public var applicationName: String

    public init(
        connectionString: String, schema: String? = nil, size: Int = 8, statementTimeout: Duration? = .seconds(30),
        idleTransactionTimeout: Duration? = .seconds(10),
        connectTimeout: Duration = .seconds(5), acquireTimeout: Duration = .seconds(10), preparedStatements: Int = 128,
        applicationName: String = "odcs"
    ) {
        self.connectionString = connectionString
        self.schema = schema
        self.size = size
        self.statementTimeout = statementTimeout
        self.idleTransactionTimeout = idleTransactionTimeout
        self.connectTimeout = connectTimeout
        self.acquireTimeout = acquireTimeout
        self.preparedStatements = preparedStatements
        self.applicationName = applicationName
    }
}

extension PostgresConfiguration {
    /// What every session is set to, as the startup message says it, so that it costs no round trip.
    ///
    /// Times are read and written in UTC and ISO style, which ``Timestamp`` relies on; numbers with all their digits. The rest is what the
    /// statements rely on, whatever the database or the role has for a default: each statement sees what was committed before it began.
    var sessionOptions: String {
        var settings = [
            ("TimeZone", "UTC"), ("DateStyle", "ISO"), ("IntervalStyle", "postgres"), ("client_min_messages", "warning"),
            ("extra_float_digits", "1"), ("standard_conforming_strings", "on"), ("bytea_output", "hex"),
            ("default_transaction_isolation", "read committed"), ("default_transaction_read_only", "off"),
            ("default_transaction_deferrable", "off"), ("lock_timeout", "0"),
        ]
        if let schema { settings.append(("search_path", SQL.quoted(identifier: schema))) }
        func milliseconds(_ limit: Duration?) -> String { limit.map { "\(max(1, Int($0 / .milliseconds(1))))" } ?? "0" }
        settings.append(("statement_timeout", milliseconds(statementTimeout)))
        settings.append(("idle_in_transaction_session_timeout", milliseconds(idleTransactionTimeout)))
        return settings.map { name, value in "-c \(name)=\(Self.escaped(option: value))" }.joined(separator: " ")
    }

    /// The server splits options at white space, save after a backslash.
    private static func escaped(option: String) -> String {
        String(option.flatMap { $0.isWhitespace || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
