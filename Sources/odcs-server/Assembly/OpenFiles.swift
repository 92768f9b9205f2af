import Glibc
import Logging
import ServiceConfiguration

/// The number of files and connections that a process of this service may have open, and their
/// distribution.
///
/// The service's own need is reserved, and clients get the rest. A process that may open no more files
/// cannot accept a connection, start a program or set a timer. In some of these cases, its libraries
/// end the process.
struct OpenFiles {
    /// The limit that the process was started with (`ulimit -n`, `LimitNOFILE=`).
    let limit: Int
    /// The number of files that the service needs without any client.
    let needed: Int
    private let wantedConnections: Int?

    /// The minimum number of connections. A frontend with fewer connections is useless.
    private static let fewestConnections = 16

    init(_ configuration: ServerConfiguration, roles: Set<ServerAssembly.Role>, limit: Int = Self.currentLimit) {
        self.limit = limit
        // The base covers event loops of threads, logs, and files of libraries. A worker also reads and writes
        // repositories, fetches packages and starts programs.
        var needed = 48 + configuration.database.connections
        if roles.contains(.worker) {
            needed += 16 + 32 * configuration.worker.slots
            if configuration.images.isBuildingHere { needed += 16 + 32 * configuration.images.slots + 8 * configuration.images.nodeSlots }
        }
        // An answer with a file has that file open besides its connection.
        self.needed = needed
        wantedConnections = roles.contains(.frontend) ? configuration.frontend.maxConnections : nil
    }

    /// Returns the maximum number of clients that are connected at the same time: the configured number, or
    /// fewer if the limit of open files requires it.
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

    /// The error for a process that may open too few files for its roles.
    struct TooFew: Error, Hashable, CustomStringConvertible {
        let limit: Int
        let needed: Int

        var description: String {
            "This process may open \(limit) files, and it needs \(needed) at the least. Raise the limit (ulimit -n, or LimitNOFILE= in a unit of systemd), "
                + "or lower worker.slots and database.connections in the configuration."
        }
    }
}
