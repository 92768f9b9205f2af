import CPostgreSQL

/// The owner of one `PGconn`, an established connection. The connection is closed when the last
/// reference is gone.
final class ConnectionHandle: @unchecked Sendable {
    // It is made on a thread that connects, then handed to the PostgreSQL thread. Only that thread uses
    // it.
    let connection: OpaquePointer

    /// Connects. It blocks the calling thread until the server has answered or libpq's own timeout has
    /// passed.
    init(connecting configuration: PostgresConfiguration) throws(PostgresError) {
        let parameters = try Self.parameters(configuration)
        let connection = CStringArray(parameters.map(\.keyword)).withPointers { keywords in
            CStringArray(parameters.map(\.value)).withPointers { values in
                PQconnectdbParams(keywords, values, 0)
            }
        }
        guard let connection else { throw PostgresError(.connection, "no memory is left for a connection to PostgreSQL") }
        guard PQstatus(connection) == CONNECTION_OK else {
            defer { PQfinish(connection) }
            throw PostgresError(.connection, Self.message(of: connection))
        }
        PQsetnonblocking(connection, 1)
        // Without a notice processor, libpq writes the server's notices to standard error.
        PQsetNoticeProcessor(connection, { _, _ in }, nil)
        self.connection = connection
    }

    deinit { PQfinish(connection) }

    /// Returns libpq's last error message about the connection, on one line.
    static func message(of connection: OpaquePointer) -> String {
        let message = String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return message.isEmpty ? "the connection to PostgreSQL was lost" : message
    }

    private static func parameters(_ configuration: PostgresConfiguration) throws(PostgresError) -> [(keyword: String, value: String)] {
        // The error text of libpq is not used: it quotes the string that cannot be parsed, and with it a
        // password.
        guard let options = PQconninfoParse(configuration.connectionString, nil) else {
            throw PostgresError(.connection, "the connection string is neither \"postgresql://user@host/database\" nor \"host=… dbname=…\"")
        }
        defer { PQconninfoFree(options) }
        var parameters: [String: String] = [
            "fallback_application_name": configuration.applicationName,
            "connect_timeout": String(max(2, Int((configuration.connectTimeout / .seconds(1)).rounded(.up)))),
            // The loss of a server that vanished silently is noticed within a minute, even by a session that only
            // listens.
            "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "60000",
        ]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        parameters["client_encoding"] = "UTF8"
        parameters["options"] = [parameters["options"], configuration.sessionOptions].compactMap(\.self).joined(separator: " ")
        return parameters.map { ($0.key, $0.value) }
    }
}
