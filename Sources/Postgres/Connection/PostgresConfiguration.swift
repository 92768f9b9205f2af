/// The address of a PostgreSQL server, and the settings of sessions with it.
public struct PostgresConfiguration: Sendable {
    /// The address in a form that libpq accepts: `host=… dbname=…` or `postgresql://user@host/database`.
    public var connectionString: String
    /// The schema for unqualified names. Nil leaves `search_path` to the server.
    public var schema: String?
    /// The most connections that a pool opens.
    public var size: Int
    /// The time after which the server cancels a statement. Nil means never.
    public var statementTimeout: Duration?
    /// The time after which the server ends a session whose transaction sends no statement. This releases
    /// the locks of a process that hangs or was stopped. Nil means never.
    public var idleTransactionTimeout: Duration?
    /// The time limit for connecting.
    public var connectTimeout: Duration
    /// The time limit for the wait for a connection while all connections of the pool are in use.
    public var acquireTimeout: Duration
    /// The most prepared statements that a connection keeps.
    public var preparedStatements: Int
    /// The name of the sessions in `pg_stat_activity`.
    public var applicationName: String
    /// Further settings of the sessions, by their names. Example: `myapp.level` for one that triggers read.
    public var settings: [String: String]
    /// Whether statements within a span have a span of their own.
    public var tracesStatements: Bool

    public init(
        connectionString: String, schema: String? = nil, size: Int = 8, statementTimeout: Duration? = .seconds(30),
        idleTransactionTimeout: Duration? = .seconds(10),
        connectTimeout: Duration = .seconds(5), acquireTimeout: Duration = .seconds(10), preparedStatements: Int = 128,
        applicationName: String = "odcs", settings: [String: String] = [:], tracesStatements: Bool = false
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
        self.settings = settings
        self.tracesStatements = tracesStatements
    }
}

extension PostgresConfiguration {
    /// The settings of every session, in the form of the startup message, so that they cost no round trip.
    ///
    /// Times are read and written in UTC and ISO style, which ``Timestamp`` requires. Numbers have all
    /// their digits. The statements rely on the other settings, which override the defaults of the database
    /// and of the role. In particular, each statement sees the data that was committed before it began.
    var sessionOptions: String {
        var settings = [
            ("TimeZone", "UTC"), ("DateStyle", "ISO"), ("IntervalStyle", "postgres"), ("client_min_messages", "warning"),
            ("extra_float_digits", "1"), ("standard_conforming_strings", "on"), ("bytea_output", "hex"),
            ("default_transaction_isolation", "read committed"), ("default_transaction_read_only", "off"),
            ("default_transaction_deferrable", "off"), ("lock_timeout", "0"),
        ]
        if let schema { settings.append(("search_path", SQL.quoted(identifier: schema))) }
        settings += self.settings.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        func milliseconds(_ limit: Duration?) -> String { limit.map { "\(max(1, Int($0 / .milliseconds(1))))" } ?? "0" }
        settings.append(("statement_timeout", milliseconds(statementTimeout)))
        settings.append(("idle_in_transaction_session_timeout", milliseconds(idleTransactionTimeout)))
        return settings.map { name, value in "-c \(name)=\(Self.escaped(option: value))" }.joined(separator: " ")
    }

    /// Escapes a value. The server splits options at white space, except after a backslash.
    private static func escaped(option: String) -> String {
        String(option.flatMap { $0.isWhitespace || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
