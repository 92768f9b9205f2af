import ComposeModel
import Foundation
import SystemPackage
import Testing

/// The same inputs give the same repository.
@Suite struct ReproducibilityTests {
    private static let trees = ["x86_64/os", "x86_64/debug/tree", "aarch64/os", "aarch64/debug/tree", "source/tree"]
    private static let request = ["libed*", "ed", "ed-doc", "--arch=x86_64", "--arch=aarch64"]

    /// Every file of the compose's repositories, by its path.
    private static func contents(_ compose: FinishedCompose) throws -> [String: Data] {
        var contents: [String: Data] = [:]
        for tree in trees {
            for file in try FinishedCompose.files(below: compose.repository(tree)) {
                contents["\(tree)/\(file)"] = try Data(contentsOf: URL(filePath: compose.repository(tree).appending(file).string))
            }
        }
        return contents
    }

    @Test(
        "two composes of one request are the same in every byte, and so is one by another service, from another place and over HTTP",
        .timeLimit(.minutes(5)))
    func everyByte() async throws {
        let first = try await SharedService.with(more: "") { shared in
            let first = try Self.contents(await shared.compose(from: Checkout.testsRepo.string, Self.request))
            let second = try Self.contents(await shared.compose(from: Checkout.testsRepo.string, Self.request))
            #expect(first.keys.contains("x86_64/os/repodata/repomd.xml"))
            #expect(first == second)
            return first
        }
        try await GatedRepository.with(Checkout.testsRepo, holding: "nothing") { repository in
            try await SharedService.with(urls: [repository.url], more: "") { shared in
                let elsewhere = shared.sources.appending("elsewhere")
                try FileManager.default.copyItem(atPath: Checkout.testsRepo.string, toPath: elsewhere.string)
                for source in [elsewhere.string, repository.url] {
                    #expect(try Self.contents(await shared.compose(from: source, Self.request)) == first)
                }
            }
        }
    }

    @Test("metadata compressed with zstd is read by dnf, and as good as any", .timeLimit(.minutes(5)))
    func zstd() async throws {
        try await SharedService.with(more: "composes: {compression: zstd}") { shared in
            let compose = try await shared.compose(from: Checkout.testsRepo.string, ["ed", "libed++"])
            let documents = try FinishedCompose.files(below: compose.repository("x86_64/os/repodata"))
            #expect(
                documents.map { $0.replacing(/^[0-9a-f]{64}-/, with: "") }.sorted()
                    == ["filelists.xml.zst", "other.xml.zst", "primary.xml.zst", "repomd.xml"])
            try await Dnf.with { dnf in
                try await dnf.add(compose, by: shared.server)
                let seen = try await dnf.packages(in: compose.layout.directory)
                #expect(try seen.packages == compose.packages())
                #expect(seen.complaints == "")
                let files = try await dnf.run("--repo=\(compose.layout.directory)", "repoquery", "--list", "libed++")
                #expect(files.output == "/usr/lib64/libed++.so.1\n")
            }
        }
    }
}
