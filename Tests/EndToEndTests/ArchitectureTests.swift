import Foundation
import SystemPackage
import Testing

/// One tree for each architecture, and 32-bit packages beside 64-bit ones.
@Suite(.sharedService, .timeLimit(.minutes(5))) struct ArchitectureTests {
    @Test("each architecture has a tree of its own with its best versions, and noarch packages are in each")
    func several() async throws {
        let compose = try await SharedService.compose("libed", "ed-doc", "--arch=x86_64", "--arch=aarch64")
        #expect(compose.reason == ["Done: 10 packages."])
        #expect(try compose.packages("x86_64/os") == ["ed-doc-1.20-3.noarch", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch"])
        #expect(try compose.packages("aarch64/os") == ["ed-doc-1.20-3.noarch", "libed-1.0-1.aarch64"])
        #expect(try compose.packages("source/tree") == ["ed-1.20-3.src", "libed-1.0-1.src", "libed-1.1-2.src"])
        #expect(try compose.packages("x86_64/debug/tree") == ["libed-debuginfo-1.1-2.x86_64", "libed-debugsource-1.1-2.x86_64"])
        #expect(try compose.packages("aarch64/debug/tree") == [])
        // A repository without packages is a repository too: no client that enables all sections stumbles over it.
        #expect(FileManager.default.fileExists(atPath: compose.repository("aarch64/debug/tree/repodata/repomd.xml").string))
    }

    @Test("the tree of i686 is that of its base architecture, i386")
    func i686() async throws {
        let compose = try await SharedService.compose("libed", "--arch=i686")
        #expect(try compose.packages("i386/os") == ["libed-1.1-2.i686", "libed-data-1.1-2.noarch"])
        #expect(try compose.packages("i386/debug/tree") == ["libed-debuginfo-1.1-2.i686", "libed-debugsource-1.1-2.i686"])
    }

    private func multilib(_ method: String) async throws -> FinishedCompose {
        try await SharedService.compose(
            "ed", "libed", "libed++", "libed-devel", "libed-plugins", "libed-static", "--no-deps", "--multilib-arch=x86_64",
            "--multilib-method=\(method)")
    }

    private func of(_ arch: String, _ packages: [String]) -> [String] { packages.filter { $0.hasSuffix(".\(arch)") } }

    @Test("multilib devel adds the 32-bit form of development packages")
    func devel() async throws {
        let compose = try await multilib("devel")
        #expect(try of("i686", compose.packages()) == ["libed-devel-1.1-2.i686", "libed-static-1.1-2.i686"])
        #expect(try of("x86_64", compose.packages()).count == 6)
        #expect(try compose.lock.why["libed-devel-1.1-2.i686"] == "32-bit counterpart of libed-devel-1.1-2.x86_64")
        #expect(try of("i686", compose.packages("x86_64/debug/tree")) == ["libed-debuginfo-1.1-2.i686", "libed-debugsource-1.1-2.i686"])
    }

    @Test("multilib runtime adds the 32-bit form of packages with libraries")
    func runtime() async throws {
        let compose = try await multilib("runtime")
        #expect(try of("i686", compose.packages()) == ["libed++-1.1-1.i686", "libed-1.1-2.i686"])
    }

    @Test("multilib all adds the 32-bit form of every package that has one")
    func all() async throws {
        let compose = try await multilib("all")
        #expect(
            try of("i686", compose.packages()) == [
                "libed++-1.1-1.i686", "libed-1.1-2.i686", "libed-devel-1.1-2.i686", "libed-plugins-1.1-2.i686", "libed-static-1.1-2.i686",
            ])
    }

    @Test("what a 32-bit package needs comes along, in 32 bits")
    func multilibDependencies() async throws {
        let compose = try await SharedService.compose("libed-devel", "--check-deps", "--multilib-arch=x86_64", "--multilib-method=devel")
        #expect(
            try compose.packages() == [
                "libed-1.1-2.i686", "libed-1.1-2.x86_64", "libed-data-1.1-2.noarch", "libed-devel-1.1-2.i686", "libed-devel-1.1-2.x86_64",
            ])
    }

    @Test("only the named architectures get 32-bit packages")
    func multilibElsewhere() async throws {
        let compose = try await SharedService.compose(
            "libed-devel", "--arch=x86_64", "--arch=aarch64", "--multilib-arch=aarch64", "--multilib-method=all")
        #expect(try of("i686", compose.packages()).isEmpty)
    }
}
