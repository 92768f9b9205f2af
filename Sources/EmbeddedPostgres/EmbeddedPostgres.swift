public import Logging
import Processes
public import ServiceLifecycle
public import SystemPackage

/// A private PostgreSQL server, with its data in a directory. It can be reached through a unix socket
/// only.
///
/// The process that starts the server owns it until ``stop()``. No other process can start it
/// meanwhile. If the owner died without stopping the server, the next process that starts it uses it
/// and becomes its owner.
///
/// A process that must not end the server under others calls ``join(within:)`` or ``visit()`` in the
/// place of ``start()``.
public actor EmbeddedPostgres: Service {
    /// The requested directory.
    private let asked: FilePath
    /// The cluster. After the start it is in another directory, if the server's account cannot enter the
    /// requested one.
    private var cluster: Cluster
    private let durable: Bool
    private let logger: Logger
    private var ownership: FileLock?
    /// The turn of a visit that has started the server. It keeps other processes from using a server that
    /// will end with the visit.
    private var turnOfVisit: FileLock?

    /// - Parameters:
    ///   - directory: The directory for the data, the log and the socket. It is created if it does not
    ///     exist. If its path is too long for a socket, the socket is elsewhere. If this process runs as
    ///     root and the server's account cannot enter the directory, it becomes a symbolic link to one
    ///     below `/var/lib/odcs-postgresql`.
    ///   - durable: False trades safety in a crash of the machine for speed. It is meant for tests.
    public init(directory: FilePath, durable: Bool = true, logger: Logger) {
        cluster = Cluster(directory: directory)
        asked = cluster.directory
        self.durable = durable
        self.logger = logger
    }

    /// Whether ``stop()`` stops the server.
    public var isOwner: Bool { ownership != nil }

    /// Makes the cluster if it does not exist, and starts the server if it does not run.
    ///
    /// - Returns: A connection string for a superuser and the database `postgres`.
    /// - Throws: ``EmbeddedPostgresError`` with the end of the server's log, or if another process owns the
    ///   server.
    public func start() async throws -> String {
        let account = try prepare()
        let turn = try await FileLock.waiting(for: cluster.turnFile)
        defer { withExtendedLifetime(turn) {} }
        guard try takeOwnership() else {
            throw EmbeddedPostgresError(
                "another process runs the PostgreSQL in \(asked), and stops it at its end. Without database.url, only one odcs-server run "
                    + "or odcs-server frontend can use a state directory. Stop the other one, or set database.url, or another "
                    + "state_directory")
        }
        cluster.removeUnusedNote()
        return try await startAsOwner(account)
    }

    /// Uses the server that another process runs, and waits for it. ``stop()`` then does nothing.
    ///
    /// - Parameter time: The time that a server has to become ready.
    /// - Returns: A connection string, as ``start()`` does.
    /// - Throws: ``EmbeddedPostgresError`` if no server runs, and `CancellationError`.
    public func join(within time: Duration) async throws -> String {
        let deadline = ContinuousClock.now + time
        var isTold = false
        while true {
            // A first start of the owner can turn the directory into a link.
            cluster = Cluster(directory: asked)
            // A server whose turn is taken may be that of a visit, which ends it.
            if let running = cluster.postmaster(), running.isReady, try FileLock.ifFree(cluster.turnFile) != nil {
                return address(running.socketDirectory)
            }
            guard ContinuousClock.now < deadline else {
                throw EmbeddedPostgresError(
                    "no PostgreSQL runs in \(asked), and this process uses only one that another process has started. Start "
                        + "odcs-server run or odcs-server frontend on this host, as the same user, or set database.url")
            }
            if !isTold { logger.notice("waiting for the PostgreSQL of another process", metadata: ["directory": "\(asked)"]) }
            isTold = true
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// Uses the server that runs. If no server runs, it starts one, and other processes wait
    /// with their start until ``stop()``. This is for commands that end soon.
    ///
    /// - Returns: A connection string, as ``start()`` does.
    /// - Throws: ``EmbeddedPostgresError``, as ``start()`` does, also if another process owns a server that
    ///   this process cannot see. A server of another container is such a server.
    public func visit() async throws -> String {
        let account = try prepare()
        let turn = try await FileLock.waiting(for: cluster.turnFile)
        if let running = cluster.postmaster(), running.isReady { return address(running.socketDirectory) }
        guard try takeOwnership() else {
            throw EmbeddedPostgresError(
                "the PostgreSQL in \(asked) belongs to another process, and does not answer here. If that process is in another "
                    + "container, type the command there. Otherwise, \(cluster.log) says why")
        }
        let isNew = cluster.version() == nil
        let address = try await startAsOwner(account)
        turnOfVisit = turn
        // The service may use another database, which this command was not told of.
        if isNew { try cluster.noteUnused() }
        return address
    }

    /// Finds the server's account, and makes the directory.
    private func prepare() throws -> Account? {
        let account = try Account.ofServer()
        let place = try ClusterDirectory.prepare(asked, for: account)
        cluster = Cluster(directory: place.path)
        if let obstacle = place.obstacle {
            logger.notice(
                "PostgreSQL's files are elsewhere: its user cannot enter a directory above the state directory",
                metadata: ["directory": "\(place.path)", "closed": "\(obstacle)", "link": "\(asked)"])
        }
        return account
    }

    /// Makes this process the owner of the server, unless another process is it.
    ///
    /// The lock also keeps two servers off the same data. A process in another container cannot see
    /// that the server of the first one runs.
    private func takeOwnership() throws -> Bool {
        if ownership == nil { ownership = try FileLock.ifFree(cluster.ownerFile) }
        return isOwner
    }

    private func startAsOwner(_ account: Account?) async throws -> String {
        do {
            return address(try await startServer(account))
        } catch {
            ownership = nil
            throw error
        }
    }

    private func address(_ socket: FilePath) -> String {
        "host=\(socket) port=\(Cluster.port) user=\(Cluster.superuser) dbname=postgres"
    }

    /// Stops the server, which ends its sessions, and waits for its end. It does nothing if this process
    /// does not own the server.
    public func stop() async throws {
        guard isOwner else { return }
        let turn =
            if let turnOfVisit { turnOfVisit } else { try await FileLock.waiting(for: cluster.turnFile) }
        defer {
            withExtendedLifetime(turn) {}
            turnOfVisit = nil
        }
        if let running = cluster.postmaster() {
            try await tools().run("pg_ctl", ["stop", "-w", "-t", "60", "-m", "fast"], on: cluster)
            SocketDirectory.discard(running.socketDirectory, of: cluster)
        }
        ownership = nil
        logger.info("PostgreSQL server stopped", metadata: ["directory": "\(cluster.directory)"])
    }

    /// Starts the server if it does not run yet. Stops it at the graceful shutdown or the cancellation of
    /// the task.
    public func run() async throws {
        _ = try await start()
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // A cancellation ends the server in the same way.
        }
        // In a separate task, since a command that runs in a canceled task is killed.
        try await Task { try await stop() }.value
    }

    /// Arranges that the server is stopped abruptly when the process exits. This is for tests that share a
    /// server and do not know which of them is the last.
    ///
    /// - Parameter removingDirectory: Whether the directory is deleted as well.
    public func stopAtProcessExit(removingDirectory: Bool = false) {
        guard let ownership else { return }
        ExitHandler.add(cluster, ownership, removing: removingDirectory ? Set([asked, cluster.directory]) : [])
    }

    /// Starts the server if it does not run yet.
    ///
    /// - Returns: The directory of the socket.
    private func startServer(_ account: Account?) async throws -> FilePath {
        let running = cluster.postmaster()
        if running?.isSeen == false {
            throw EmbeddedPostgresError(
                "a PostgreSQL that this process cannot see runs in \(cluster.directory), for example that of another container. Stop that "
                    + "container first")
        }
        if let running, running.isReady {
            logger.info("PostgreSQL server runs already", metadata: ["directory": "\(cluster.directory)", "pid": "\(running.pid)"])
            return running.socketDirectory
        }
        let tools = try await tools()
        if cluster.version() == nil { try await cluster.initialize(with: tools, account: account, durable: durable) }
        let socket = try SocketDirectory.make(for: cluster, account: account)
        try cluster.writeSettings(socketDirectory: socket, durable: durable)
        try cluster.prepareLog(for: account)
        cluster.removeStalePIDFile()
        // A server that runs but is not ready was left in the middle of a start or a stop, by an owner that no
        // longer exists.
        let verb = running == nil ? "start" : "restart"
        try await tools.run(
            "pg_ctl", [verb, "-l", cluster.log.lastComponent?.string ?? "", "-w", "-t", "60", "-s", "-m", "fast"], on: cluster)
        logger.info("PostgreSQL server started", metadata: ["directory": "\(cluster.directory)", "version": "\(tools.version)"])
        return socket
    }

    private func tools() async throws -> ServerTools {
        try await ServerTools.find(for: cluster.version(), account: try Account.ofServer())
    }
}
