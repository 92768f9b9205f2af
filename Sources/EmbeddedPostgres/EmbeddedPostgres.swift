public import Logging
public import ServiceLifecycle
public import SystemPackage

/// A PostgreSQL server of one's own, with its data in a directory and reachable through a unix socket only.
///
/// Whoever starts it owns it until ``stop()``. A server that another process owns is used as it is, and left running. One whose owner died
/// without stopping it is used and owned from then on.
public actor EmbeddedPostgres: Service {
    /// The directory that was asked for.
    private let asked: FilePath
    /// In another directory from the start on, if the server's account cannot enter the one that was asked for.
    private var cluster: Cluster
    private let durable: Bool
    private let logger: Logger
    private var ownership: FileLock?

    /// - Parameters:
    ///   - directory: made when absent; holds the data, the log, and the socket unless the path is too long for one. If we are root and the server's account
    ///     cannot enter it, it becomes a symbolic link to a directory below `/var/lib/odcs-postgresql`.
    ///   - durable: false gives up safety in a crash of the machine for speed, for tests.
    public init(directory: FilePath, durable: Bool = true, logger: Logger) {
        cluster = Cluster(directory: directory)
        asked = cluster.directory
        self.durable = durable
        self.logger = logger
    }

    /// Whether ``stop()`` stops the server.
    public var isOwner: Bool { ownership != nil }

    /// Makes the cluster where there is none, and starts the server where it does not run.
    ///
    /// - Returns: a connection string for a superuser and the database `postgres`.
    /// - Throws: ``EmbeddedPostgresError`` with the end of the server's log.
    public func start() async throws -> String {
        let account = try ServerAccount.current()
        let place = try ClusterDirectory.prepare(asked, for: account)
        cluster = Cluster(directory: place.path)
        if let obstacle = place.obstacle {
            logger.notice(
                "PostgreSQL's files are elsewhere: its user cannot enter a directory above the state directory",
                metadata: ["directory": "\(place.path)", "closed": "\(obstacle)", "link": "\(asked)"])
        }
        let turn = try await FileLock.waiting(for: cluster.turnFile)
        defer { withExtendedLifetime(turn) {} }
        if ownership == nil { ownership = try FileLock.ifFree(cluster.ownerFile) }
        do {
            let socket = try await startServer(account)
            return "host=\(socket) port=\(Cluster.port) user=\(Cluster.superuser) dbname=postgres"
        } catch {
            ownership = nil
            throw error
        }
    }

    /// Ends sessions and the server, and waits for it; does nothing to a server that another process owns.
    public func stop() async throws {
        guard isOwner else { return }
        let turn = try await FileLock.waiting(for: cluster.turnFile)
        defer { withExtendedLifetime(turn) {} }
        if let running = cluster.postmaster() {
            try await tools().run("pg_ctl", ["stop", "-w", "-t", "60", "-m", "fast"], on: cluster)
            SocketDirectory.discard(running.socketDirectory, of: cluster)
        }
        ownership = nil
        logger.info("PostgreSQL server stopped", metadata: ["directory": "\(cluster.directory)"])
    }

    /// Starts the server if that was not done, and stops it at the graceful shutdown or the task's cancellation.
    public func run() async throws {
        _ = try await start()
        do {
            try await gracefulShutdown()
        } catch is CancellationError {
            // Ends the server just as well.
        }
        // In a task of its own, since a command run in a cancelled task is killed.
        try await Task { try await stop() }.value
    }

    /// Has the server ended abruptly when the process exits, for tests that share one and never know which of them is the last.
    ///
    /// - Parameter removingDirectory: deletes all of it, too.
    public func stopAtProcessExit(removingDirectory: Bool = false) {
        guard let ownership else { return }
        ExitHandler.add(cluster, ownership, removing: removingDirectory ? Set([asked, cluster.directory]) : [])
    }

    /// - Returns: the directory of the socket.
    private func startServer(_ account: ServerAccount?) async throws -> FilePath {
        let running = cluster.postmaster()
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
        // One that runs but does not answer was left in the middle of starting or stopping by an owner that is no more.
        let verb = running == nil ? "start" : "restart"
        try await tools.run(
            "pg_ctl", [verb, "-l", cluster.log.lastComponent?.string ?? "", "-w", "-t", "60", "-s", "-m", "fast"], on: cluster)
        logger.info("PostgreSQL server started", metadata: ["directory": "\(cluster.directory)", "version": "\(tools.version)"])
        return socket
    }

    private func tools() async throws -> ServerTools {
        try await ServerTools.find(for: cluster.version(), account: try ServerAccount.current())
    }
}
