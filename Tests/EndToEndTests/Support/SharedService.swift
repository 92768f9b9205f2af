import AsyncHTTPClient
import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import NIOHTTP1
import Postgres
import SystemPackage
import Testing

/// One service that all tests of a suite use at the same time, and a directory below which it reads repositories.
///
/// A suite gets it by the trait `.sharedService`; what one of its tests asks for must not matter to the others.
struct SharedService: Sendable {
    let service: TestService
    let server: ServerProcess
    /// As the configuration names it, and empty but for what tests put there.
    let sources: FilePath

    @TaskLocal private static var running: SharedService?

    /// That of the suite that is running.
    static var current: SharedService { get throws { try #require(running) } }

    /// Runs `body` with a service; `more` are further lines of its configuration.
    static func with<R: Sendable>(
        urls: [String] = [], more: String, _ body: @escaping @Sendable (SharedService) async throws -> R
    ) async throws -> R {
        let sources = try TemporaryDirectory()
        defer { sources.remove() }
        return try await TestService.running(roots: [Checkout.testsRepo, sources.path], urls: urls, more: more) { service, server in
            try await body(SharedService(service: service, server: server, sources: sources.path))
        }
    }

    struct Trait: SuiteTrait, TestScoping {
        let more: String

        func provideScope(
            for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
        ) async throws {
            try await withoutActuallyEscaping(function) { function in
                try await SharedService.with(more: more) { shared in
                    try await SharedService.$running.withValue(shared) { try await function() }
                }
            }
        }
    }
}

extension SuiteTrait where Self == SharedService.Trait {
    /// Starts a service for the suite.
    ///
    /// - Parameter more: Further lines of its configuration.
    static func sharedService(_ more: String) -> Self { Self(more: more) }
}

extension TestService {
    /// Waits until the compose is as `condition` asks for; it is looked at after each change of state.
    func await(_ id: Int, until condition: (Compose) -> Bool) async throws -> Compose {
        try await awaitChange { try await store.compose(id).flatMap { condition($0) ? $0 : nil } }
    }

    /// Waits until `look` finds something, which it does at first and after each change of any compose's state.
    func awaitChange<Found>(_ look: () async throws -> Found?) async throws -> Found {
        let listener = PostgresListener(configuration: database.configuration, channels: [database.schema], logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            defer { group.cancelAll() }
            for await _ in listener.notifications(on: database.schema) {
                if let found = try await look() { return found }
            }
            throw CancellationError()
        }
    }

    /// The names in the directory of composes that belong to a compose, but for its log.
    func traces(of id: Int) throws -> [String] {
        let files = FileManager.default
        let work = composes.appending(".work").string
        let attempts = files.fileExists(atPath: work) ? try files.contentsOfDirectory(atPath: work) : []
        let names = try files.contentsOfDirectory(atPath: composes.string) + attempts
        return names.filter { $0 == "odcs-\(id)" || $0 == "latest-odcs-\(id)-1" || $0.hasPrefix("odcs-\(id).") }
    }

    /// The packages of a finished compose, as its lock file has them: where each is, and its checksum.
    func packages(of id: Int) throws -> [String: String] {
        struct Lock: Decodable {
            struct Package: Decodable {
                let path: String
                let checksum: String
            }
            let packages: [Package]
        }
        let lock = try Data(contentsOf: URL(filePath: composes.appending("odcs-\(id)/compose.lock.json").string))
        return Dictionary(
            uniqueKeysWithValues: try JSONDecoder().decode(Lock.self, from: lock).packages.map { ($0.path, $0.checksum) })
    }

    /// Another configuration file for the same service, made from its own.
    func configuration(_ name: String, changing change: (String) -> String) throws -> FilePath {
        let text = String(decoding: try Data(contentsOf: URL(filePath: configuration.string)), as: UTF8.self)
        let path = directory.appending(name)
        try Data(change(text).utf8).write(to: URL(filePath: path.string))
        return path
    }
}

extension ServerProcess {
    /// Submits by the command line and does not wait.
    func submit(_ arguments: String...) async throws -> ComposeDocument {
        let program = try await Program.run(
            [Program.own("odcs"), "submit"] + arguments + ["--no-wait", "--json", "--server", url],
            environment: ["XDG_CONFIG_HOME": "/nonexistent", "HOME": "/nonexistent"])
        guard program.isSuccess else { throw program }
        return try JSONDecoder().decode(ComposeDocument.self, from: Data(program.output.utf8))
    }

    /// The compose as it is now.
    func compose(_ id: Int) async throws -> ComposeDocument {
        try JSONDecoder().decode(ComposeDocument.self, from: try await http(.GET, "/api/1/composes/\(id)").body)
    }

    /// Asks for a compose by a body of JSON, and gives the answer as it is.
    func post(_ json: String, to path: String = "/api/1/composes/") async throws -> HTTPAnswer {
        try await http(.POST, path, body: .bytes(Array(json.utf8)))
    }

    /// Asks for a compose by a body of JSON, and gives it at its end.
    func compose(json: String, _ service: TestService) async throws -> FinishedCompose {
        let answer = try await post(json)
        #expect(answer.status == 200, "\(answer.text)")
        let id = try JSONDecoder().decode(ComposeDocument.self, from: answer.body).id
        _ = try await service.await(id, .done, .failed)
        return FinishedCompose(document: try await compose(id), in: service.composes)
    }
}
