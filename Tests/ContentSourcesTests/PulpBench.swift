import ComposeModel
import HTTPEnvironment
import Logging
import NIOPosix
import SystemPackage

@testable import ContentSources

/// What tests of Pulp do again and again: ask once, with a client of its own.
enum PulpBench {
    /// Quick to ask again; every wait is one that a test provokes.
    static var limits: PulpServer.Limits {
        var limits = PulpServer.Limits()
        limits.asking.answerTime = .seconds(20)
        limits.asking.attempts = 3
        limits.asking.firstPause = .milliseconds(1)
        limits.asking.longestPause = .milliseconds(2)
        return limits
    }

    static func ask(
        _ address: String, for names: [String], includeUnpublished: Bool = false, version: PulpServer.Version = .pulp3,
        authentication: PulpServer.Authentication = .none, caFile: FilePath? = nil, limits: PulpServer.Limits = limits
    ) async throws -> PulpFindings {
        let server = try PulpServer(
            url: address, version: version, authentication: authentication, caFile: caFile, limits: limits)
        let client = OutboundClient(SourceLimits().httpClientConfiguration)
        let outcome: Result<PulpFindings, any Error>
        do {
            let source = try PulpSource(server, httpClient: client, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            outcome = .success(try await source.repositories(named: names, includeUnpublished: includeUnpublished))
        } catch {
            outcome = .failure(error)
        }
        try await client.shutdown()
        return try outcome.get()
    }

    /// How asking fails; `nil` when it does not.
    static func failure(
        _ address: String, for names: [String] = ["f26-rpms-x86_64"], version: PulpServer.Version = .pulp3,
        authentication: PulpServer.Authentication = .none, caFile: FilePath? = nil, limits: PulpServer.Limits = limits
    ) async throws -> ComposeFailure? {
        do {
            _ = try await ask(
                address, for: names, version: version, authentication: authentication, caFile: caFile, limits: limits)
            return nil
        } catch let failure as ComposeFailure {
            return failure
        }
    }
}
