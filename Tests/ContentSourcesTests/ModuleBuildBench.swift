import ComposeModel
import HTTPEnvironment
import Logging
import Modules
import NIOPosix

@testable import ContentSources

/// What tests of the Module Build Service do again and again: ask one, with a client of its own.
enum ModuleBuildBench {
    /// Quick to ask again; every wait is one that a test provokes.
    static var limits: ModuleBuildServer.Limits {
        var limits = ModuleBuildServer.Limits()
        limits.asking = PulpBench.limits.asking
        return limits
    }

    static func with<Result>(
        _ address: String, limits: ModuleBuildServer.Limits = limits, _ body: (ModuleBuildService) async throws -> Result
    ) async throws -> Result {
        let client = OutboundClient(SourceLimits().httpClientConfiguration)
        let outcome: Swift.Result<Result, any Error>
        do {
            let server = try ModuleBuildServer(url: "\(address)/module-build-service", limits: limits)
            let service = try ModuleBuildService(
                server, httpClient: client, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            outcome = .success(try await body(service))
        } catch {
            outcome = .failure(error)
        }
        try await client.shutdown()
        return try outcome.get()
    }

    /// The same with a service in this process.
    static func with<Result>(
        _ replay: ModuleBuildReplay, limits: ModuleBuildServer.Limits = limits,
        _ body: (ModuleBuildService, PulpHTTPServer) async throws -> Result
    ) async throws -> Result {
        try await PulpHTTPServer.with(replay.answer) { server in
            try await with(server.address, limits: limits) { try await body($0, server) }
        }
    }

    /// How `body` fails; `nil` when it does not.
    static func failure(_ body: () async throws -> Void) async throws -> ComposeFailure? {
        do {
            try await body()
            return nil
        } catch let failure as ComposeFailure {
            return failure
        } catch let error as ModuleChoiceError {
            return ComposeFailure(error)
        }
    }
}

extension ModuleBuildService {
    func ids(_ reference: String, filter: ModuleBuildFilter = ModuleBuildFilter()) async throws -> [String] {
        guard let reference = ModuleReference(reference) else { return ["\(reference) is no reference"] }
        return try await builds(of: reference, filter: filter).map(\.id.description)
    }
}
