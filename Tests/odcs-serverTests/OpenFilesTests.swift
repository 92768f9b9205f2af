import ComposeTestKit
import Logging
import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// How a process shares out the files that it may open.
@Suite struct OpenFilesTests {
    private func files(_ limit: Int, roles: Set<ServerAssembly.Role> = [.frontend, .worker]) throws -> OpenFiles {
        OpenFiles(try ServerConfiguration("", file: "the defaults", directory: "/"), roles: roles, limit: limit)
    }

    @Test("clients get what the service does not need, up to what is configured")
    func connections() throws {
        #expect(try files(100_000).connections(logger: .silent) == 1000)
        let few = try files(300)
        #expect(try few.connections(logger: .silent) == (300 - few.needed) / 2)
        #expect(try files(256, roles: [.worker]).connections(logger: .silent) == 0)
    }

    @Test("a limit that is too low ends the start with a sentence", arguments: [0, 20, 100, 150])
    func tooFew(_ limit: Int) throws {
        let files = try files(limit)
        let error = #expect(throws: OpenFiles.TooFew.self) { _ = try files.connections(logger: .silent) }
        #expect(
            error?.description
                == "This process may open \(limit) files, and it needs \(files.needed + 32) at the least. Raise the limit (ulimit -n, or "
                + "LimitNOFILE= in a unit of systemd), or lower worker.slots and database.connections in the configuration.")
    }
}
