import Glibc
import Logging

/// How many files and connections a process of this service may have open, and how they are shared out.
///
/// What the service itself needs is kept for it, and clients get the rest. A process without a file left cannot accept a connection, start a
/// program or set a timer, and its libraries end it in some of these cases.
struct OpenFiles {
    /// The limit that the process was started with (`ulimit -n`, `LimitNOFILE=`).
    let limit: Int
    /// What the service needs without any client.
    let needed: Int
    private let wantedConnections: Int?

    /// A frontend with fewer connections is of no use.
    private static let fewestConnections = 16

    init(_ configuration: ServerConfiguration, roles: Set<ServerAssembly.Role>, limit: Int = Self.currentLimit) {
        self.limit = limit
        // Threads' event loops, logs, libraries' own; a worker reads and writes repositories, fetches packages and starts programs.
        var needed = 48 + configuration.database.connections
        if roles.contains(.worker) { needed += 16 + 32 * configuration.worker.slots }
        // Each answer that sends a file has it open beside its connection.
        self.needed = needed
        wantedConnections = roles.contains(.frontend) ? configuration.frontend.maxConnections : nil
    }

    /// How many clients may be connected at the same time: as many as configured, or as many as there is room for.
    ///
    /// - Throws: ``TooFew``.
    func connections(logger: Logger) throws(TooFew) -> Int {
        let room = (limit - needed) / 2
        guard room >= (wantedConnections == nil ? 0 : Self.fewestConnections) else {
            throw TooFew(limit: limit, needed: needed + (wantedConnections == nil ? 0 : 2 * Self.fewestConnections))
        }
        guard let wantedConnections else { return 0 }
        if room < wantedConnections {
            logger.notice(
                "fewer connections than frontend.max_connections says, because the process may open few files",
                metadata: ["connections": "\(room)", "limit": "\(limit)"])
        }
        return min(room, wantedConnections)
    }

    static var currentLimit: Int {
        var limits = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits) == 0 else { return 1024 }
        return limits.rlim_cur > 1 << 30 ? 1 << 30 : Int(limits.rlim_cur)
    }

    /// The process may open too few files for what it is to do.
    struct TooFew: Error, Hashable, CustomStringConvertible {
        let limit: Int
        let needed: Int

        var description: String {
            "This process may open \(limit) files, and it needs \(needed) at the least. Raise the limit (ulimit -n, or LimitNOFILE= in a unit of systemd), "
                + "or lower worker.slots and database.connections in the configuration."
        }
    }
}
