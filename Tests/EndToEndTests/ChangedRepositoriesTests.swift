import ComposeModel
import Foundation
import RandomTestKit
import SystemPackage
import Testing

/// Composes of repositories that change, by a worker that follows the changes and by a worker that sees each revision for the first time.
///
/// `ODCS_TEST_CHANGES` sets the number of changes, and `ODCS_TEST_SEED` the seed of the first chain.
@Suite(.timeLimit(.minutes(RandomRun.isLong ? 600 : 5)))
struct ChangedRepositoriesTests {
    /// The number of changes of one chain.
    private static let length = 50

    /// A document that is larger when it is decompressed is refused.
    private static let settings = "  max_open_metadata_megabytes: 1\nworker: {attempts: 1}"

    @Test("a worker that follows random changes makes the same composes as a worker that knows nothing, also of earlier revisions")
    func chains() async throws {
        let sources = try TemporaryDirectory()
        defer { sources.remove() }
        try await TestService.with(roots: [sources.path], more: Self.settings) { follower in
            try await TestService.with(roots: [sources.path], more: "  layers: false\n\(Self.settings)") { fresh in
                for number in 0..<max(1, RandomRun.changes / Self.length) {
                    let directory = sources.path.appending("\(number)")
                    var chain = try ChangeChain(
                        seed: RandomRun.seed + number, changes: min(Self.length, RandomRun.changes), in: directory)
                    // After each part, both services start again.
                    for part in ChangeChain.Part.allCases {
                        chain = try await ServerProcess.with(configuration: follower.configuration) { [chain] following in
                            try await ServerProcess.with(configuration: fresh.configuration) { beginning in
                                var chain = chain
                                try await chain.run(part, [(follower, following), (fresh, beginning)])
                                return chain
                            }
                        }
                    }
                    print(chain.summary)
                    #expect(chain.layers > 5, "\(chain.summary)")
                    try FileManager.default.removeItem(atPath: directory.string)
                    if !chain.differences.isEmpty { break }
                }
            }
        }
    }
}
