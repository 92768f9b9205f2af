import EmbeddedPostgres
import Foundation
import Glibc
import Postgres
import SystemPackage
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DatabaseAwayTests {
    @Test("while the server is stopped everybody learns it at once, and afterwards all is well")
    func whileServerIsStoppedEverybodyLearns() async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("away-\(UUID())")
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: directory.string) } }
        let server = EmbeddedPostgres(directory: directory, durable: false, logger: TestDatabase.logger)
        // Times that a test never sees the end of: nothing here waits for them.
        let pool = PostgresPool(
            configuration: .init(
                connectionString: try await server.start(), size: 2, connectTimeout: .seconds(600), acquireTimeout: .seconds(600)),
            logger: TestDatabase.logger)
        #expect(try await pool.query("SELECT 1").count == 1)
        try await server.stop()
        await withTaskGroup { group in
            for _ in 0..<20 {
                group.addTask {
                    let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
                    #expect(error?.code == .connection)
                }
            }
        }
        _ = try await server.start()
        #expect(try await pool.query("SELECT 1").count == 1)
        try await server.stop()
    }

    @Test("a server that accepts and says nothing is given up")
    func serverThatAcceptsAndSaysNothing() async throws {
        let path = FilePath(FileManager.default.temporaryDirectory.path).appending("mute-\(UUID())")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: path.string) } }
        let socket = try listen(at: path.appending(".s.PGSQL.5432"))
        defer { close(socket) }
        let pool = PostgresPool(
            configuration: .init(connectionString: "host=\(path) port=5432 user=postgres", connectTimeout: .milliseconds(50)),
            logger: TestDatabase.logger)
        let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(error?.code == .connection)
    }

    private func listen(at path: FilePath) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.string.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        try #require(bound == 0 && Glibc.listen(descriptor, 1) == 0)
        return descriptor
    }
}
