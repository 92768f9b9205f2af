import SystemPackage
import Testing

/// One service for all tests of a suite: it starts before the first of them and stops after the last.
struct ServiceTrait: SuiteTrait, TestScoping {
    let roots: [FilePath]
    /// Further lines of the configuration file.
    let more: String

    func provideScope(for test: Test, testCase: Test.Case?, performing tests: @Sendable () async throws -> Void) async throws {
        try await withoutActuallyEscaping(tests) { tests in
            try await TestService.running(roots: roots, more: more) { service, server in
                try await RunningService.$current.withValue(RunningService(service: service, server: server)) { try await tests() }
            }
        }
    }
}

extension Trait where Self == ServiceTrait {
    static func service(roots: [FilePath] = [Checkout.testsRepo], more: String = "") -> Self { Self(roots: roots, more: more) }
}

/// A service with its one process, as ``TestService/running(roots:urls:more:_:)`` gives them.
struct RunningService: Sendable {
    let service: TestService
    let server: ServerProcess

    /// That of the suite; there in suites with the trait `.service()`.
    @TaskLocal static var current: RunningService?

    /// Composes packages of tests-repo with the suite's service, anew even where an equal compose exists.
    static func compose(_ arguments: String...) async throws -> FinishedCompose {
        try await compose(from: Checkout.testsRepo.string, arguments)
    }

    /// Composes packages of another repository, or of several that are separated by spaces.
    static func compose(from source: String, _ arguments: [String] = []) async throws -> FinishedCompose {
        try await #require(current, "the suite has no service").compose(from: source, arguments)
    }

    func compose(from source: String, _ arguments: [String] = []) async throws -> FinishedCompose {
        FinishedCompose(document: try await server.compose(["repo", source, "--no-reuse"] + arguments), in: service.composes)
    }
}
