import Foundation
import Glibc
import Logging
import Postgres
import Processes
import ServiceLifecycle
import Synchronization
import SystemPackage
import Testing

@testable import EmbeddedPostgres

/// One after the other, since each makes a cluster and the machine may be small.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct EmbeddedPostgresTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Gives `body` a directory of its own, and removes it.
    private func withDirectory(named name: String = "state", _ body: (FilePath) async throws -> Void) async throws {
        let parent = FilePath(FileManager.default.temporaryDirectory.path).appending("embedded-\(UUID())")
        do {
            try await body(parent.appending(name))
        } catch {
            try FileManager.default.removeItem(atPath: parent.string)
            throw error
        }
        try FileManager.default.removeItem(atPath: parent.string)
    }

    private func server(_ directory: FilePath) -> EmbeddedPostgres {
        EmbeddedPostgres(directory: directory, durable: false, logger: logger)
    }

    /// Runs `body` with a server that is stopped in the end.
    private func withServer(_ directory: FilePath, _ body: (EmbeddedPostgres, String) async throws -> Void) async throws {
        let server = server(directory)
        let connectionString = try await server.start()
        do {
            try await body(server, connectionString)
        } catch {
            try await server.stop()
            throw error
        }
        try await server.stop()
    }

    /// Lets the file of a server's process be as in another container while `body` runs. There the number is
    /// that of another process, and the socket may be elsewhere.
    private func withProcessUnseen(of directory: FilePath, socketAsWell: Bool = false, _ body: () async throws -> Void) async throws {
        let file = Cluster(directory: directory).data.appending("postmaster.pid").string
        let text = try #require(FileManager.default.contents(atPath: file))
        var lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        lines[0] = "\(getpid())"
        if socketAsWell { lines[4] = "/nowhere" }
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(filePath: file))
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try text.write(to: URL(filePath: file))
        try outcome.get()
    }

    private func ask(_ connectionString: String, _ sql: SQL) async throws -> String {
        let pool = PostgresPool(configuration: .init(connectionString: connectionString, size: 1), logger: logger)
        return try await pool.query("SELECT (\(fragment: sql))::text AS answer")[0].decode("answer")
    }

    private func run(_ connectionString: String, _ sql: SQL) async throws {
        _ = try await PostgresPool(configuration: .init(connectionString: connectionString, size: 1), logger: logger).query(sql)
    }

    @Test("a server is made, listens on its socket only, and keeps its data")
    func serverIsMade() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { server, connectionString in
                #expect(await server.isOwner)
                #expect(try await ask(connectionString, "SELECT current_setting('listen_addresses')") == "")
                #expect(try await ask(connectionString, "SELECT current_setting('fsync')") == "off")
                try await run(connectionString, "CREATE TABLE kept AS SELECT 'still here' AS it")
            }
            #expect(Cluster(directory: directory).postmaster() == nil)
            let durable = EmbeddedPostgres(directory: directory, logger: logger)
            let connectionString = try await durable.start()
            #expect(try await ask(connectionString, "SELECT it FROM kept") == "still here")
            #expect(try await ask(connectionString, "SELECT current_setting('fsync')") == "on")
            try await durable.stop()
        }
    }

    @Test("a cluster is noted as unused until it starts again, and a directory without a cluster gets no note")
    func unusedCluster() async throws {
        try await withDirectory { directory in
            try EmbeddedPostgres.noteUnused(directory)
            #expect(!FileManager.default.fileExists(atPath: directory.string))
            try await withServer(directory) { _, _ in }
            let note = directory.appending("unused").string
            try EmbeddedPostgres.noteUnused(directory)
            #expect(FileManager.default.fileExists(atPath: note))
            let visitor = server(directory)
            _ = try await visitor.visit()
            try await visitor.stop()
            #expect(FileManager.default.fileExists(atPath: note))
            try await withServer(directory) { _, _ in #expect(!FileManager.default.fileExists(atPath: note)) }
        }
    }

    @Test("a cluster that a command has made is noted as unused until the service starts on it")
    func clusterOfVisit() async throws {
        try await withDirectory { directory in
            let note = directory.appending("unused").string
            let visitor = server(directory)
            _ = try await visitor.visit()
            try await visitor.stop()
            #expect(FileManager.default.fileExists(atPath: note))
            try await withServer(directory) { _, _ in #expect(!FileManager.default.fileExists(atPath: note)) }
        }
    }

    @Test("while a process owns the server no other one starts it, and afterwards another one does")
    func serverOfAnotherProcess() async throws {
        try await withDirectory { directory in
            let second = server(directory)
            try await withServer(directory) { owner, address in
                let error = await #expect(throws: EmbeddedPostgresError.self) { try await second.start() }
                #expect(
                    error?.description
                        == "another process runs the PostgreSQL in \(directory), and stops it at its end. Without database.url, only one "
                        + "odcs-server run or odcs-server frontend can use a state directory. Stop the other one, or set database.url, or "
                        + "another state_directory")
                #expect(await !second.isOwner)
                try await second.stop()
                #expect(try await ask(address, "SELECT 1") == "1")
                #expect(await owner.isOwner)
            }
            #expect(Cluster(directory: directory).postmaster() == nil)
            let address = try await second.start()
            #expect(try await ask(address, "SELECT 1") == "1")
            try await second.stop()
        }
    }

    @Test("guests and visitors use a server whose process they cannot see, as in another container")
    func serverOfAnotherContainer() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, address in
                try await withProcessUnseen(of: directory) {
                    #expect(try await server(directory).join(within: .zero) == address)
                    let visitor = server(directory)
                    #expect(try await visitor.visit() == address)
                    try await visitor.stop()
                }
                #expect(try await ask(address, "SELECT 1") == "1")
            }
        }
    }

    @Test("a server of another container is not started a second time when its owner is no more")
    func orphanOfAnotherContainer() async throws {
        try await withDirectory { directory in
            var lost: EmbeddedPostgres? = server(directory)
            let address = try await lost?.start()
            lost = nil
            try await withProcessUnseen(of: directory) {
                let error = await #expect(throws: EmbeddedPostgresError.self) { try await server(directory).start() }
                #expect(
                    error?.description
                        == "a PostgreSQL that this process cannot see runs in \(directory), for example that of another container. Stop "
                        + "that container first")
            }
            try await withServer(directory) { heir, second in
                #expect(await heir.isOwner)
                #expect(second == address)
            }
        }
    }

    @Test("a visitor starts no second server if the owner's server cannot be reached")
    func serverThatCannotBeReached() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, address in
                try await withProcessUnseen(of: directory, socketAsWell: true) {
                    let error = await #expect(throws: EmbeddedPostgresError.self) { try await server(directory).visit() }
                    #expect(
                        error?.description
                            == "the PostgreSQL in \(directory) belongs to another process, and does not answer here. If that process is in "
                            + "another container, type the command there. Otherwise, \(directory)/postgres.log says why")
                }
                #expect(try await ask(address, "SELECT 1") == "1")
            }
        }
    }

    @Test("a guest uses a server that runs, never owns it, and says what to start if none runs")
    func guest() async throws {
        try await withDirectory { directory in
            let early = server(directory)
            let error = await #expect(throws: EmbeddedPostgresError.self) { try await early.join(within: .zero) }
            #expect(
                error?.description
                    == "no PostgreSQL runs in \(directory), and this process uses only one that another process has started. Start "
                    + "odcs-server run or odcs-server frontend on this host, as the same user, or set database.url")
            #expect(!FileManager.default.fileExists(atPath: directory.string))

            let guest = server(directory)
            // It waits for a server that starts later.
            let joining = Task { try await guest.join(within: .seconds(120)) }
            try await withServer(directory) { owner, first in
                let joined = try await joining.value
                #expect(joined == first)
                #expect(await !guest.isOwner)
                try await guest.stop()
                #expect(try await ask(first, "SELECT 1") == "1")
                #expect(await owner.isOwner)
            }
        }
    }

    @Test("a guest does not own a server whose owner is no more")
    func guestOfNobody() async throws {
        try await withDirectory { directory in
            var lost: EmbeddedPostgres? = server(directory)
            let address = try await lost?.start()
            lost = nil
            let guest = server(directory)
            #expect(try await guest.join(within: .zero) == address)
            #expect(await !guest.isOwner)
            // A visitor leaves it as well, to the next service that starts.
            let visitor = server(directory)
            #expect(try await visitor.visit() == address)
            try await visitor.stop()
            try await withServer(directory) { heir, _ in #expect(await heir.isOwner) }
        }
    }

    @Test("a visitor that has started the server lets no other process use it before it has stopped it")
    func visitor() async throws {
        try await withDirectory { directory in
            let cluster = Cluster(directory: directory)
            let visitor = server(directory)
            _ = try await visitor.visit()
            #expect(try FileLock.ifFree(cluster.turnFile) == nil)
            let service = server(directory)
            async let address = service.start()
            try await visitor.stop()
            #expect(try await ask(address, "SELECT 1") == "1")
            #expect(await service.isOwner)
            // Now the server runs, so another visitor is a guest.
            let second = server(directory)
            #expect(try await second.visit() == address)
            try await second.stop()
            #expect(try await ask(address, "SELECT 1") == "1")
            try await service.stop()
            #expect(cluster.postmaster() == nil)
        }
    }

    @Test("a server whose owner is no more is used, and owned")
    func serverWhoseOwnerIsNoMore() async throws {
        try await withDirectory { directory in
            let cluster = Cluster(directory: directory)
            var lost: EmbeddedPostgres? = server(directory)
            _ = try await lost?.start()
            // The lock goes with it, as with a process that is killed.
            lost = nil
            let orphan = try #require(cluster.postmaster())
            try await withServer(directory) { heir, connectionString in
                #expect(await heir.isOwner)
                #expect(cluster.postmaster()?.pid == orphan.pid)
                try await run(connectionString, "SELECT 1")
            }
            #expect(cluster.postmaster() == nil)
        }
    }

    @Test("of two that start at once one owns the server, and the other one is refused")
    func ofTwoThatStartAtOnce() async throws {
        try await withDirectory { directory in
            let servers = [server(directory), server(directory)]
            let starts = await withTaskGroup(of: Bool.self) { group in
                for server in servers { group.addTask { await (try? server.start()) != nil } }
                return await group.reduce(into: [Bool]()) { $0.append($1) }
            }
            #expect(starts.count(where: \.self) == 1)
            let owners = [await servers[0].isOwner, await servers[1].isOwner]
            #expect(owners.count(where: \.self) == 1)
            for server in servers { try await server.stop() }
            #expect(Cluster(directory: directory).postmaster() == nil)
        }
    }

    @Test("a stale file that names a living process of another kind is no hindrance")
    func staleFileThatNamesLivingProcess() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, _ in }
            let cluster = Cluster(directory: directory)
            let stale = "\(getpid())\n\(cluster.data)\n1\n5432\n\(directory)\n\n\nready\n"
            try Data(stale.utf8).write(to: URL(filePath: cluster.data.appending("postmaster.pid").string))
            #expect(cluster.postmaster() == nil)
            try await withServer(directory) { _, connectionString in try await run(connectionString, "SELECT 1") }
        }
    }

    @Test("data that was half made is made anew")
    func dataThatWasHalfMadeIs() async throws {
        try await withDirectory { directory in
            let unfinished = directory.appending("data.unfinished").string
            try FileManager.default.createDirectory(atPath: unfinished, withIntermediateDirectories: true)
            try Data("15\n".utf8).write(to: URL(filePath: unfinished + "/PG_VERSION"))
            try await withServer(directory) { _, connectionString in try await run(connectionString, "SELECT 1") }
        }
    }

    @Test("data of another version is refused, and says what to do")
    func dataOfAnotherVersionIsRefused() async throws {
        try await withDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory.appending("data").string, withIntermediateDirectories: true)
            try Data("9.6\n".utf8).write(to: URL(filePath: directory.appending("data/PG_VERSION").string))
            let error = await #expect(throws: EmbeddedPostgresError.self) { try await server(directory).start() }
            #expect(error?.description.hasPrefix("the data was made by PostgreSQL 9.6, and only ") == true)
            #expect(error?.description.contains("pg_upgrade") == true)
        }
    }

    @Test("a server that does not start says why, and is not owned")
    func serverThatDoesNotStartSays() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, _ in }
            let settings = Cluster(directory: directory).data.appending("local.conf")
            try Data("nonsense = 1\n".utf8).write(to: URL(filePath: settings.string))
            let server = server(directory)
            let error = await #expect(throws: EmbeddedPostgresError.self) { try await server.start() }
            #expect(error?.description.contains("unrecognized configuration parameter \"nonsense\"") == true)
            #expect(await !server.isOwner)
        }
    }

    @Test(
        "a directory that is unfit for a socket has it elsewhere, closed to others",
        arguments: [String(repeating: "long", count: 30), "it's, a \"$HOME\" é"])
    func directoryThatIsUnfitForSocket(name: String) async throws {
        try await withDirectory(named: name) { directory in
            var socket: FilePath = ""
            try await withServer(directory) { _, connectionString in
                try await run(connectionString, "SELECT 1")
                socket = try #require(Cluster(directory: directory).postmaster()?.socketDirectory)
                #expect(!socket.starts(with: directory))
                let attributes = try FileManager.default.attributesOfItem(atPath: socket.string)
                #expect(attributes[.posixPermissions] as? Int == 0o700)
            }
            #expect(!FileManager.default.fileExists(atPath: socket.string))
        }
    }

    @Test("as a service it runs until the graceful shutdown")
    func asServiceItRunsUntilGraceful() async throws {
        try await withDirectory { directory in
            let server = server(directory)
            let connectionString = try await server.start()
            let group = ServiceGroup(configuration: .init(services: [server], logger: logger))
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                #expect(try await ask(connectionString, "SELECT 1") == "1")
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(Cluster(directory: directory).postmaster() == nil)
        }
    }

    @Test(
        "for root the server runs as a user that owns only its own files",
        .enabled(if: geteuid() == 0, "only root has another user's server"))
    func forRootServerRunsAsUser() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, _ in
                let cluster = Cluster(directory: directory)
                let account = try #require(try Account.ofServer())
                let pid = try #require(cluster.postmaster()).pid
                var status = stat()
                #expect(stat("/proc/\(pid)", &status) == 0 && status.st_uid == account.user)
                #expect(stat(directory.string, &status) == 0 && status.st_uid == 0)
                #expect(stat(cluster.data.string, &status) == 0 && status.st_uid == account.user && status.st_mode & 0o7777 == 0o700)
            }
        }
    }

    @Test(
        "a directory that the server's user cannot enter links to one that it can, and keeps its data there",
        .enabled(if: geteuid() == 0, "only root has another user's server"))
    func directoryThatServerUserCannotEnter() async throws {
        try await withDirectory { directory in
            let closed = directory.removingLastComponent()
            try FileManager.default.createDirectory(
                atPath: closed.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let log = Notices()
            let owner = EmbeddedPostgres(directory: directory, durable: false, logger: Logger(label: "test") { _ in log.handler })
            let first = try await owner.start()
            let place = FilePath(try FileManager.default.destinationOfSymbolicLink(atPath: directory.string))
            #expect(place.removingLastComponent() == ClusterDirectory.elsewhere)
            defer { try? FileManager.default.removeItem(atPath: place.string) }
            #expect(log.metadata.first == ["directory": "\(place)", "closed": "\(closed)", "link": "\(directory)"])
            try await run(first, "CREATE TABLE kept AS SELECT 'still here' AS it")
            // A guest finds the same server, and a later start the same data.
            let guest = server(directory)
            let second = try await guest.join(within: .seconds(60))
            #expect(second == first)
            #expect(await !guest.isOwner)
            try await owner.stop()
            try await withServer(directory) { _, connectionString in
                let kept = try await ask(connectionString, "SELECT it FROM kept")
                #expect(kept == "still here")
            }
        }
    }

    @Test(
        "of two that cannot enter at once, both get the same directory elsewhere",
        .enabled(if: geteuid() == 0, "only root has another user's server"))
    func ofTwoThatCannotEnterAt() async throws {
        try await withDirectory { directory in
            let closed = directory.removingLastComponent()
            let elsewhere = FilePath(FileManager.default.temporaryDirectory.path).appending("elsewhere-\(UUID())")
            defer { try? FileManager.default.removeItem(atPath: elsewhere.string) }
            try FileManager.default.createDirectory(
                atPath: closed.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let account = try Account.ofServer()
            let places = try await withThrowingTaskGroup(of: FilePath.self) { group in
                for _ in 0..<8 { group.addTask { try ClusterDirectory.prepare(directory, for: account, elsewhere: elsewhere).path } }
                return try await group.reduce(into: Set<FilePath>()) { $0.insert($1) }
            }
            #expect(places.count == 1)
            let made = try FileManager.default.contentsOfDirectory(atPath: elsewhere.string)
            #expect(made == places.map { $0.lastComponent?.string })
        }
    }

    @Test(
        "data that its user can no longer reach stays where it is, and the obstacle is named",
        .enabled(if: geteuid() == 0, "only root has another user's server"))
    func dataThatItsUserCanNo() async throws {
        try await withDirectory { directory in
            try await withServer(directory) { _, _ in }
            let closed = directory.removingLastComponent().string
            chmod(closed, 0o700)
            let error = await #expect(throws: EmbeddedPostgresError.self) { try await server(directory).start() }
            #expect(error?.description.contains("who cannot enter \(closed):") == true)
        }
    }

    @Test(
        "where there is no other place either, both obstacles are named",
        .enabled(if: geteuid() == 0, "only root has another user's server"))
    func whereThereIsNoOtherPlace() async throws {
        try await withDirectory { directory in
            let closed = directory.removingLastComponent()
            try FileManager.default.createDirectory(
                atPath: closed.string, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let account = try Account.ofServer()
            let error = #expect(throws: EmbeddedPostgresError.self) {
                _ = try ClusterDirectory.prepare(directory, for: account, elsewhere: closed.appending("elsewhere"))
            }
            #expect(error?.description.contains("who cannot enter \(closed), and its files cannot be elsewhere either: ") == true)
            #expect(error?.description.hasSuffix("Use a state directory that this user can enter, or chmod o+x \(closed)") == true)
        }
    }
}

/// The metadata of all notices that were logged.
private final class Notices: Sendable {
    private let entries = Mutex<[Logger.Metadata]>([])

    var metadata: [Logger.Metadata] { entries.withLock(\.self) }
    var handler: some LogHandler { Handler(notices: self) }

    private struct Handler: LogHandler {
        let notices: Notices
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.notice

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            notices.entries.withLock { $0.append(event.metadata ?? [:]) }
        }
    }
}
