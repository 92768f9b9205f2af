import Foundation
import Glibc
import Processes
import SystemPackage

/// A PostgreSQL cluster in a state directory: the places of its files, and its setup.
struct Cluster: Sendable {
    static let port = 5432
    static let superuser = "postgres"

    let directory: FilePath

    init(directory: FilePath) {
        let working = FilePath(FileManager.default.currentDirectoryPath)
        self.directory = directory.isAbsolute ? directory.lexicallyNormalized() : working.pushing(directory).lexicallyNormalized()
    }

    var data: FilePath { directory.appending("data") }
    var log: FilePath { directory.appending("postgres.log") }
    /// A file that is locked while a process starts or stops the server.
    var turnFile: FilePath { directory.appending("turn.lock") }
    /// A file that is locked by the owner, the process that must stop the server, for as long as that
    /// process lives.
    var ownerFile: FilePath { directory.appending("owner.lock") }

    /// Returns the major version of the server that made the data, or nil when there is no data yet.
    /// Example: "15".
    func version() -> String? {
        guard let text = FileManager.default.contents(atPath: data.appending("PG_VERSION").string) else { return nil }
        return String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func postmaster() -> Postmaster? { Postmaster(data: data) }

    /// Makes the data under a temporary name and then renames it, so that it is complete or absent.
    func initialize(with tools: ServerTools, account: Account?, durable: Bool) async throws {
        let unfinished = directory.appending("data.unfinished")
        if FileManager.default.fileExists(atPath: unfinished.string) { try FileManager.default.removeItem(atPath: unfinished.string) }
        try FileManager.default.createDirectory(
            atPath: unfinished.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        try account?.own(unfinished)
        try await tools.run(
            "initdb",
            [
                "-D", unfinished.string, "--username=\(Self.superuser)", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8",
                "--locale=C",
            ] + (durable ? [] : ["--no-sync"]), on: self)
        guard rename(unfinished.string, data.string) == 0 else {
            throw EmbeddedPostgresError("\(unfinished) cannot be renamed to \(data): \(String(cString: strerror(errno)))")
        }
    }

    func writeSettings(socketDirectory: FilePath, durable: Bool) throws {
        let settings = """
            # Written at every start. What is to differ belongs into local.conf beside this file.
            listen_addresses = ''
            port = \(Self.port)
            unix_socket_directories = '\(socketDirectory)'
            unix_socket_permissions = 0700
            max_connections = 200
            shared_buffers = 128MB
            max_parallel_workers_per_gather = 0
            jit = off
            timezone = 'UTC'
            log_timezone = 'UTC'
            lc_messages = 'C'
            log_line_prefix = '%m [%p] '
            fsync = \(durable ? "on" : "off")
            synchronous_commit = \(durable ? "on" : "off")
            full_page_writes = \(durable ? "on" : "off")
            include_if_exists = 'local.conf'

            """
        try Data(settings.utf8).write(to: URL(filePath: data.appending("postgresql.conf").string), options: .atomic)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: data.appending("postgresql.conf").string)
    }

    /// Makes the log file and gives it to the server's account. The account itself cannot create files in a
    /// directory that it does not own.
    func prepareLog(for account: Account?) throws {
        let descriptor = try FileDescriptor.open(log, .writeOnly, options: [.create, .append], permissions: [.ownerReadWrite, .groupRead])
        try descriptor.close()
        try account?.own(log)
    }

    /// Removes the PID file of a server that no longer runs. PostgreSQL does not start while any process
    /// has the number in that file.
    func removeStalePIDFile() {
        if postmaster() == nil { unlink(data.appending("postmaster.pid").string) }
    }
}
