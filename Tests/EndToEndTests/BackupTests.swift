import ComposeModel
import ComposeTestKit
import Foundation
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// Backups and what is lost. The commands are those of docs/operating.md.
@Suite(.timeLimit(.minutes(10))) struct BackupTests {
    /// Returns the commands after a mark of the page.
    private static func commands(_ mark: String) throws -> String {
        let page = try String(contentsOfFile: Checkout.directory.appending("docs/operating.md").string, encoding: .utf8)
        let start = try #require(page.range(of: "<!-- \(mark) -->\n")).upperBound
        let lines = page[start...].split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("    ") }
        try #require(!lines.isEmpty)
        return lines.map { $0.dropFirst(4) }.joined(separator: "\n")
    }

    /// Runs commands of the page. They stop at the first one that fails.
    private static func run(_ mark: String, _ variables: [String: String]) async throws {
        let program = try await Program.run(["/bin/sh", "-euc", try commands(mark)], environment: variables.mapValues(Optional.some))
        #expect(program.isSuccess, "\(program)")
    }

    /// A service that uses a database of its own, as an operator's does.
    private struct Place {
        let directory: FilePath
        let name: String
        let database: String

        var target: FilePath { directory.appending("composes") }
        var configuration: FilePath { directory.appending("odcs-server.yaml") }

        var variables: [String: String] {
            [
                "DATABASE": database, "CONFIG": configuration.string, "TARGET": target.string,
                "BACKUP": directory.appending("backup").string,
            ]
        }

        func serve<R: Sendable>(_ body: @escaping @Sendable (ServerProcess) async throws -> R) async throws -> R {
            try await ServerProcess.with(configuration: configuration, body)
        }
    }

    /// Runs `body` with an empty database and an empty directory.
    private func with(_ body: (Place, PostgresPool) async throws -> Void) async throws {
        try await TestService.with { service in
            let name = "odcs_backup_\(UUID().uuidString.prefix(8).lowercased())"
            let pool = service.database.pool
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            _ = try await pool.query("CREATE DATABASE \(identifier: name)")
            let place = Place(
                directory: directory.path, name: name, database: "\(service.database.configuration.connectionString) dbname=\(name)")
            try FileManager.default.createDirectory(atPath: directory.path.appending("backup").string, withIntermediateDirectories: true)
            let text = """
                state_directory: \(directory.path)
                database: {url: "\(place.database)"}
                frontend: {port: 0}
                sources: {allowed_roots: ["\(Checkout.testsRepo)"]}
                """
            try Data(text.utf8).write(to: URL(filePath: place.configuration.string))
            var failure: (any Error)?
            do { try await body(place, pool) } catch { failure = error }
            _ = try await pool.query("DROP DATABASE IF EXISTS \(identifier: name) WITH (FORCE)")
            if let failure { throw failure }
        }
    }

    /// Returns a compose when it is in that state.
    private static func await(_ id: Int, _ state: String, _ server: ServerProcess) async throws -> ComposeDocument {
        while true {
            let answer = try await server.http(.GET, "/api/1/composes/\(id)?wait=5&while=done")
            let document = try JSONDecoder().decode(ComposeDocument.self, from: answer.body)
            if document.stateName == state { return document }
        }
    }

    @Test("after the commands of the page, a service on an empty database and an empty directory has all composes and their files")
    func restored() async throws {
        try await with { place, pool in
            let first = try await place.serve { server in
                let compose = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                try await Self.run("backup", place.variables)
                try await Self.run("backup-target", place.variables)
                return compose
            }
            _ = try await pool.query("DROP DATABASE \(identifier: place.name) WITH (FORCE)")
            try FileManager.default.removeItem(atPath: place.target.string)
            _ = try await pool.query("CREATE DATABASE \(identifier: place.name)")
            try await Self.run("restore", place.variables)
            try await Self.run("restore-target", place.variables)
            try await place.serve { server in
                let compose = try await server.compose(first.id)
                #expect(compose.stateName == "done" && compose.timeDone == first.timeDone)
                let path = "/composes/odcs-\(first.id)/compose/Temporary/x86_64/os/repodata/repomd.xml"
                #expect(try await server.http(.GET, path).status == 200)
                // An equal request shows the restored result, and a new compose gets the next number.
                let again = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                #expect(again.id > first.id && again.stateReason?.contains("compose \(first.id)") == true, "\(again.stateReason ?? "")")
            }
        }
    }

    @Test(
        "if the target directory is lost, nothing is removed until the operator confirms it. Then the composes are removed with a reason, are not reused, and a renewal makes them again"
    )
    func lostTarget() async throws {
        try await with { place, _ in
            let id = try await place.serve { try await $0.compose("repo", Checkout.testsRepo.string, "ed").id }
            try FileManager.default.removeItem(atPath: place.target.string)
            let line = try await place.serve { server in
                await server.logs("is not the one that the rest of this service uses")
                let compose = try await server.compose(id)
                #expect(compose.stateName == "done")
                return try #require(server.logged.firstMatch(of: /write the line ([0-9a-f-]+) to/).map { String($0.output.1) })
            }
            try Data("\(line)\n".utf8).write(to: URL(filePath: place.target.appending(".odcs-target").string))
            try await place.serve { server in
                let lost = try await Self.await(id, "removed", server)
                #expect(
                    lost.stateReason?.hasSuffix("Removed: its files were lost. A renewal makes the compose again from the same inputs.")
                        == true,
                    "\(lost.stateReason ?? "")")
                let again = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                #expect(again.stateName == "done" && again.stateReason?.contains("compose \(id)") == false, "\(again.stateReason ?? "")")
                let renewed = try await server.odcs("renew", "\(id)", "--json")
                #expect(renewed.isSuccess, "\(renewed)")
            }
        }
    }

    @Test("if one directory is lost, only its composes are removed; if the whole directory is not mounted, nothing is")
    func partly() async throws {
        try await with { place, _ in
            let (first, second) = try await place.serve { server in
                let first = try await server.compose("repo", Checkout.testsRepo.string, "ed").id
                return (first, try await server.compose("repo", Checkout.testsRepo.string, "ed-doc").id)
            }
            try FileManager.default.removeItem(atPath: place.target.appending("odcs-\(first)").string)
            try await place.serve { server in
                _ = try await Self.await(first, "removed", server)
                #expect(try await server.compose(second).stateName == "done")
            }
            // A worker that does not find the directory of the service removes nothing.
            let aside = place.directory.appending("elsewhere")
            try FileManager.default.moveItem(atPath: place.target.string, toPath: aside.string)
            try await ServerProcess.with("frontend", configuration: place.configuration) { frontend in
                let text = try String(contentsOfFile: place.configuration.string, encoding: .utf8)
                let other = place.directory.appending("worker.yaml")
                try Data(text.replacing("frontend: {port: 0}", with: "frontend: {public_url: \"\(frontend.url)\"}").utf8)
                    .write(to: URL(filePath: other.string))
                try await ServerProcess.with("worker", configuration: other) { worker in
                    await worker.logs("is not the one that the rest of this service uses")
                    let made = try await frontend.compose(second)
                    #expect(made.stateName == "done")
                }
            }
        }
    }

    @Test("if the database is lost, the files are served, new composes get higher numbers, and the log says so")
    func lostDatabase() async throws {
        try await with { place, pool in
            let ids = try await place.serve { server in
                let first = try await server.compose("repo", Checkout.testsRepo.string, "ed").id
                return [first, try await server.compose("repo", Checkout.testsRepo.string, "ed-doc").id]
            }
            _ = try await pool.query("DROP DATABASE \(identifier: place.name) WITH (FORCE)")
            _ = try await pool.query("CREATE DATABASE \(identifier: place.name)")
            let old = try Data(contentsOf: URL(filePath: place.target.appending("odcs-\(ids[0])/compose.lock.json").string))
            try await place.serve { server in
                #expect(server.logged.contains("the target directories have composes that the database does not know"), "\(server.logged)")
                let new = try await server.compose("repo", Checkout.testsRepo.string, "ed-words")
                #expect(new.stateName == "done" && new.id > (ids.max() ?? 0))
                let answer = try await server.http(.GET, "/composes/odcs-\(ids[0])/compose.lock.json")
                #expect(answer.status == 200 && answer.body == old)
                #expect(try await server.http(.GET, "/api/1/composes/\(ids[0])").status == 404)
            }
        }
    }
}
