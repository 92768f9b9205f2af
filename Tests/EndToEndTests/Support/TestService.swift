import AsyncHTTPClient
import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import SystemPackage

/// A whole service for one test: a database of its own, directories of its own, processes of `odcs-server`.
struct TestService: Sendable {
    let database: TestDatabase
    /// Everything that the service writes is below it.
    let directory: FilePath
    let configuration: FilePath

    var store: ComposeStore { database.store }
    /// Where composes are written.
    var composes: FilePath { directory.appending("composes") }

    /// Makes the database and the directories; processes are the caller's to start.
    ///
    /// - Parameters:
    ///   - roots: The directories that repositories may be read from.
    ///   - more: Further lines of the configuration file.
    ///   - address: The address of another cluster than that of the process.
    static func with<R>(
        roots: [FilePath] = [Checkout.testsRepo], urls: [String] = [], more: String = "", at address: String? = nil,
        _ body: (TestService) async throws -> R
    ) async throws -> R {
        try await TestDatabase.with(at: address) { database in
            let directory = try TemporaryDirectory()
            defer { directory.remove() }
            let configuration = directory.path.appending("odcs-server.yaml")
            let text = """
                state_directory: \(directory.path)
                database: {url: "\(database.configuration.connectionString)", schema: \(database.schema)}
                frontend: {port: 0}
                sources:
                  allowed_roots: [\(roots.map { "\"\($0)\"" }.joined(separator: ", "))]
                  allowed_urls: [\(urls.map { "\"\($0)\"" }.joined(separator: ", "))]
                \(more)
                """
            try Data(text.utf8).write(to: URL(filePath: configuration.string))
            return try await body(TestService(database: database, directory: directory.path, configuration: configuration))
        }
    }

    /// A service with one process that is frontend and worker.
    static func running<R: Sendable>(
        roots: [FilePath] = [Checkout.testsRepo], urls: [String] = [], more: String = "",
        _ body: @escaping @Sendable (TestService, ServerProcess) async throws -> R
    ) async throws -> R {
        try await with(roots: roots, urls: urls, more: more) { service in
            try await ServerProcess.with(configuration: service.configuration) { try await body(service, $0) }
        }
    }

    /// Waits until the compose has come to one of these states, told by the database's own notifications.
    func await(_ id: Int, _ states: ComposeState...) async throws -> Compose {
        try await self.await(id) { states.contains($0.state) }
    }

    /// Waits until `condition` is true of the compose after some change of its state.
    func await(_ id: Int, until condition: @escaping @Sendable (Compose) -> Bool) async throws -> Compose {
        let listener = PostgresListener(configuration: database.configuration, channels: [database.schema], logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            defer { group.cancelAll() }
            for await _ in listener.notifications(on: database.schema) {
                if let compose = try await store.compose(id), condition(compose) { return compose }
            }
            throw CancellationError()
        }
    }
}

/// A directory that a test may fill.
struct TemporaryDirectory {
    let path: FilePath

    init(in parent: FilePath = FilePath(FileManager.default.temporaryDirectory.path)) throws {
        path = parent.appending("odcs-e2e-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path.string)
    }
}

extension ServerProcess {
    /// The command line `odcs`, against this server and with no settings of the user's.
    func odcs(_ arguments: String...) async throws -> Program { try await odcs(arguments) }

    func odcs(_ arguments: [String]) async throws -> Program {
        try await Program.run(
            [Program.own("odcs")] + arguments + ["--server", url],
            environment: [
                "ODCS_SERVER": nil, "ODCS_TOKEN": nil, "ODCS_PROFILE": nil, "XDG_CONFIG_HOME": "/nonexistent", "HOME": "/nonexistent",
            ])
    }

    /// Submits by the command line, waits for the end and gives the compose; a failed one as well.
    func compose(_ arguments: String...) async throws -> ComposeDocument { try await compose(arguments) }

    func compose(_ arguments: [String]) async throws -> ComposeDocument {
        let program = try await Program.run(
            [Program.own("odcs"), "submit"] + arguments + ["--json", "--server", url],
            environment: ["XDG_CONFIG_HOME": "/nonexistent", "HOME": "/nonexistent"])
        guard program.status < 2 else { throw program }
        return try JSONDecoder().decode(ComposeDocument.self, from: Data(program.output.utf8))
    }

    /// One HTTP request.
    func http(
        _ method: HTTPMethod = .GET, _ path: String, headers: [(String, String)] = [], body: HTTPClientRequest.Body? = nil
    ) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : url + path)
        request.method = method
        request.headers = HTTPHeaders(headers)
        request.body = body
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(120))
        let bytes = try await response.body.collect(upTo: 1 << 28)
        return HTTPAnswer(status: Int(response.status.code), headers: response.headers, body: Data(bytes.readableBytesView))
    }
}

struct HTTPAnswer {
    let status: Int
    let headers: HTTPHeaders
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }

    /// The `message` of an error answer.
    var message: String {
        get throws {
            struct Message: Decodable { let message: String }
            return try JSONDecoder().decode(Message.self, from: body).message
        }
    }
}
